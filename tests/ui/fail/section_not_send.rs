use std::cell::Cell;
use std::rc::Rc;

use actix_web::middleware::DefaultHeaders;
use route_runtime::Routes;

fn routes(routes: Routes) -> Routes {
    let shared = Rc::new(Cell::new(0));
    routes.wrap("/a", move || {
        shared.set(shared.get() + 1);
        DefaultHeaders::new()
    })
}

fn main() {
    let _ = routes;
}
