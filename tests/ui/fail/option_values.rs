//! A wrong value of every option is refused. Generated from the table of options.

use route_runtime::route;

#[route(GET, "/dynamic/[user]", dynamic = 1)]
async fn dynamic(user: String) -> String {
    user
}

#[route(GET, "/revalidate/[user]", revalidate = true)]
async fn revalidate(user: String) -> String {
    user
}

#[route(GET, "/expire/[user]", expire = -1)]
async fn expire(user: String) -> String {
    user
}

#[route(GET, "/static_params/[user]", static_params = paths())]
async fn static_params(user: String) -> String {
    user
}

#[route(GET, "/dynamic_params/[user]", dynamic_params = 0)]
async fn dynamic_params(user: String) -> String {
    user
}

#[route(GET, "/fetch_cache/[user]", fetch_cache = "cache")]
async fn fetch_cache(user: String) -> String {
    user
}

#[route(GET, "/tags/[user]", tags = "posts")]
async fn tags(user: String) -> String {
    user
}

#[route(GET, "/cdn/[user]", cdn = "yes")]
async fn cdn(user: String) -> String {
    user
}

#[route(GET, "/store/[user]", store = 0)]
async fn store(user: String) -> String {
    user
}

#[route(GET, "/wrap/[user]", wrap = "guard")]
async fn wrap(user: String) -> String {
    user
}

#[route(GET, "/max_duration/[user]", max_duration = 0)]
async fn max_duration(user: String) -> String {
    user
}

#[route(POST, "/body_limit/[user]", body_limit = "64")]
async fn body_limit(user: String) -> String {
    user
}

fn main() {}
