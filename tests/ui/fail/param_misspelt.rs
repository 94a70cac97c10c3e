#![allow(unused_variables)]

use route_runtime::route;

#[route("/posts/[slug]")]
async fn show(slig: String) -> String {
    todo!()
}

#[route("/users/[user_id]")]
async fn user(userid: u64) -> String {
    todo!()
}

#[route("/teams/[team]")]
async fn beside_another(teams: u64, db: actix_web::web::Data<u64>) -> String {
    todo!()
}

#[route("/clubs/[club]")]
async fn swapped(culb: String) -> String {
    todo!()
}

fn main() {
    let _ = show;
    let _ = user;
    let _ = beside_another;
    let _ = swapped;
}
