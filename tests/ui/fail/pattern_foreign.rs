use route_runtime::route;

#[route("/posts/:id")]
async fn express() -> String {
    todo!()
}

#[route("/docs/:slug*")]
async fn express_tail() -> String {
    todo!()
}

#[route("/posts/{id}")]
async fn actix() -> String {
    todo!()
}

#[route("/posts/{id:\\d+}")]
async fn actix_regex() -> String {
    todo!()
}

#[route("/docs/{tail:.*}")]
async fn actix_tail() -> String {
    todo!()
}

#[route("/posts/<id>")]
async fn rocket() -> String {
    todo!()
}

#[route("/docs/<path..>")]
async fn rocket_tail() -> String {
    todo!()
}

#[route("/docs/*")]
async fn star() -> String {
    todo!()
}

#[route("/posts/:post-id")]
async fn dash() -> String {
    todo!()
}

#[route("/files/:name.json")]
async fn extension() -> String {
    todo!()
}

#[route("/docs/**")]
async fn two_stars() -> String {
    todo!()
}

#[route("/posts/<int:id>")]
async fn flask() -> String {
    todo!()
}

fn main() {
    let _ = express;
    let _ = express_tail;
    let _ = actix;
    let _ = actix_regex;
    let _ = actix_tail;
    let _ = rocket;
    let _ = rocket_tail;
    let _ = star;
    let _ = dash;
    let _ = extension;
    let _ = two_stars;
    let _ = flask;
}
