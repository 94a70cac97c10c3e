use actix_web::middleware::Logger;
use route_runtime::{Routes, Server};

fn routes(routes: Routes) -> Routes {
    routes.wrap("/a", Logger::default()).wrap("/b", || "guard")
}

async fn guard(request: actix_web::HttpRequest) -> actix_web::HttpRequest {
    request
}

fn main() {
    let _ = routes;
    let _ = Server::new().wrap_open("/d", guard);
}
