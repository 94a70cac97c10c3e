use route_runtime::route;

#[route("/a", dynamic = "force-dynamic", store = false)]
async fn forced() -> &'static str {
    todo!()
}

#[route("/b", store = false, revalidate = 0)]
async fn never_fresh() -> &'static str {
    todo!()
}

#[route("/c/[id]", store = false)]
async fn with_parameters(id: u32) -> String {
    id.to_string()
}

#[route("/d", store = false, dynamic = "force-dynamic")]
mod module {
    pub async fn GET() -> &'static str {
        todo!()
    }
}

/// Says what is so by default.
#[route("/e/[id]", store = true)]
async fn by_default(id: u32) -> String {
    id.to_string()
}

fn main() {
    let _ = (forced, never_fresh, with_parameters, module::GET, by_default);
}
