use route_runtime::route;

#[route("/posts")]
async fn posts() -> String {
    todo!()
}

mod inner {
    use super::route;

    #[route(GET, "/posts")]
    pub async fn posts() -> String {
        todo!()
    }
}

#[route("/comments")]
async fn comments() -> String {
    todo!()
}

#[route("/comments")]
mod segment {
    pub async fn GET() -> String {
        todo!()
    }
    pub async fn POST() -> String {
        todo!()
    }
}

fn main() {
    let _ = (posts, inner::posts, comments, segment::GET);
}
