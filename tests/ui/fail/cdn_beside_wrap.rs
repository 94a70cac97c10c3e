use actix_web::Error;
use actix_web::body::BoxBody;
use actix_web::dev::{ServiceRequest, ServiceResponse};
use actix_web::middleware::Next;
use route_runtime::route;

async fn guard(request: ServiceRequest, next: Next<BoxBody>) -> Result<ServiceResponse, Error> {
    next.call(request).await
}

#[route("/members", cdn = true, wrap = guard)]
async fn members() -> &'static str {
    todo!()
}

#[route("/club", wrap = guard, cdn = true)]
mod club {
    pub async fn GET() -> &'static str {
        todo!()
    }
}

/// Whoever writes it says that the middleware guards nothing.
#[route("/open", cdn = "public", wrap = guard)]
async fn open() -> &'static str {
    todo!()
}

fn main() {
    let _ = (members, club::GET, open);
}
