use route_runtime::route;

const AUTH: u64 = 1;

async fn no_arguments() -> String {
    todo!()
}

fn not_async(
    request: actix_web::dev::ServiceRequest,
    next: actix_web::middleware::Next<actix_web::body::BoxBody>,
) {
    let _ = (request, next);
}

async fn other_body(
    request: actix_web::dev::ServiceRequest,
    next: actix_web::middleware::Next<String>,
) -> actix_web::Result<actix_web::dev::ServiceResponse<String>> {
    next.call(request).await
}

#[route(GET, "/a", wrap = no_arguments)]
async fn a() -> String {
    todo!()
}

#[route(GET, "/b", wrap = not_async)]
async fn b() -> String {
    todo!()
}

#[route(GET, "/c", wrap = AUTH)]
async fn c() -> String {
    todo!()
}

#[route(GET, "/d", wrap = other_body)]
async fn d() -> String {
    todo!()
}

#[route(GET, "/e", wrap = missing)]
async fn e() -> String {
    todo!()
}

fn main() {
    let _ = d;
    let _ = e;
    let _ = a;
    let _ = b;
    let _ = c;
}
