use route_runtime::route;

#[route]
async fn bare() -> String {
    todo!()
}

#[route()]
async fn empty() -> String {
    todo!()
}

#[route(DELETE)]
async fn method_only() -> String {
    todo!()
}

#[route(DELETE)]
async fn method_and_comma() -> String {
    todo!()
}

fn main() {
    let _ = bare;
    let _ = empty;
    let _ = method_only;
    let _ = method_and_comma;
}
