//! The decision how each route is rendered, and the table that shows it.

use actix_web::HttpRequest;
use actix_web::web::{Data, Path, ThinData};
use route_runtime::{
    CachedReason, DynamicReason, Method, Mode, Pathname, Rendering, Revalidate, RouteDescriptor,
    RouteWarning, Routes, page, route,
};
use serde_json::{Value, json};

#[route("/listing/forced/dynamic/[id]", dynamic = "force-dynamic", revalidate = 10, static_params = ids)]
async fn forced_dynamic(id: u8) -> String {
    id.to_string()
}

async fn ids() -> Vec<u8> {
    vec![1]
}

#[route("/listing/zero", revalidate = 0)]
async fn zero() -> &'static str {
    "zero"
}

#[route("/listing/forced/static", dynamic = "force-static")]
async fn forced_static(request: HttpRequest) -> String {
    request.path().into()
}

#[route("/listing/error/[id]", dynamic = "error")]
async fn error(id: u8, state: Data<u8>) -> String {
    format!("{id} {}", **state)
}

#[route("/listing/reads")]
async fn reads(_state: Data<u8>, request: HttpRequest) -> String {
    request.path().into()
}

#[route("/listing/revalidate/[id]", revalidate = 10)]
mod revalidate {
    pub async fn GET(id: u8) -> String {
        id.to_string()
    }

    pub async fn POST(id: u8) -> String {
        id.to_string()
    }
}

#[page("/listing/never", revalidate = false)]
async fn never() -> &'static str {
    "never"
}

#[route("/listing/params/[id]")]
async fn params(id: u8) -> String {
    id.to_string()
}

#[route("/listing/beside")]
async fn beside() -> &'static str {
    "beside"
}

#[route(POST, "/listing/beside")]
async fn beside_post() -> &'static str {
    "beside"
}

#[route("/listing/options")]
async fn beside_options() -> &'static str {
    "beside"
}

#[route(OPTIONS, "/listing/options")]
async fn preflight() -> &'static str {
    "preflight"
}

#[route("/listing/listed/[id]", static_params = ids)]
async fn listed(id: u8) -> String {
    id.to_string()
}

#[route("/listing/nothing")]
async fn nothing(_state: Data<u8>) -> &'static str {
    "nothing"
}

const EVERY: [RouteDescriptor; 15] = [
    forced_dynamic::ROUTE,
    zero::ROUTE,
    forced_static::ROUTE,
    error::ROUTE,
    reads::ROUTE,
    revalidate::GET::ROUTE,
    revalidate::POST::ROUTE,
    never::ROUTE,
    params::ROUTE,
    beside::ROUTE,
    beside_post::ROUTE,
    beside_options::ROUTE,
    preflight::ROUTE,
    listed::ROUTE,
    nothing::ROUTE,
];

#[test]
fn each_rule_decides_before_the_later_ones() {
    use Rendering::{Cached, Dynamic};

    let routes = Routes::from_iter(EVERY).unwrap();
    let check = |handler: &str, expected: Rendering| {
        let route = routes.iter().find(|route| route.handler() == handler);
        assert_eq!(route.unwrap().rendering(), expected, "{handler}");
    };
    let source = |handler: &str| {
        let route = routes.iter().find(|route| route.handler() == handler);
        route.unwrap().source()
    };
    // The order is that of the rules. A later rule would decide each handler otherwise.
    check("forced_dynamic", Dynamic(DynamicReason::Forced));
    check("zero", Dynamic(DynamicReason::RevalidateZero));
    check("forced_static", Cached(CachedReason::Forced));
    check("error", Cached(CachedReason::Error));
    let reads = DynamicReason::ReadsRequest("request: HttpRequest");
    check("reads", Dynamic(reads));
    let ten = CachedReason::Revalidate(Revalidate::After(10));
    check("GET", Cached(ten));
    let never = CachedReason::Revalidate(Revalidate::Never);
    check("never", Cached(never));
    check("params", Dynamic(DynamicReason::Params));
    let post = DynamicReason::Beside(Method::Post, source("beside_post"));
    check("beside", Dynamic(post));
    check("listed", Cached(CachedReason::StaticParams));
    check("nothing", Cached(CachedReason::ReadsNothing));
    // Only a method that may change something makes the GET beside it dynamic.
    check("beside_options", Cached(CachedReason::ReadsNothing));
    let method = DynamicReason::Method(Method::Options);
    check("preflight", Dynamic(method));
}

#[test]
fn the_table_is_sorted_and_shows_the_reasons() {
    let routes = Routes::from_iter(EVERY).unwrap().mode(Mode::Production);
    let post = routes.iter().find(|it| it.handler() == "beside_post");
    let post = post.unwrap().source();
    let expected = format!(
        "  \
  Path                          Methods       Revalidate  Why
ƒ /listing/beside               GET, POST                 POST at {post}
○ /listing/error/[id]           GET                       `dynamic = \"error\"`
ƒ /listing/forced/dynamic/[id]  GET                       `dynamic = \"force-dynamic\"`; it makes `revalidate` and `static_params` ineffective
○ /listing/forced/static        GET                       `dynamic = \"force-static\"`
● /listing/listed/[id]          GET                       `static_params`
○ /listing/never                GET                       `revalidate = false`
○ /listing/nothing              GET                       reads nothing of the request; for ever: reads app data, has neither `revalidate` nor `tags`
○ /listing/options              GET, OPTIONS              reads nothing of the request
ƒ /listing/params/[id]          GET                       parameters without `static_params` or `revalidate`
ƒ /listing/reads                GET                       reads the request: `request: HttpRequest`
◐ /listing/revalidate/[id]      GET, POST     10s         `revalidate = 10`
ƒ /listing/zero                 GET                       `revalidate = 0`

○ static: rendered once, with a blank request
● rendered ahead, from `static_params`
◐ revalidated: rendered again when stale
ƒ dynamic: rendered for each request

Without `expire`, a stale response is served however old it is, while the next one is rendered.
"
    );
    let shuffled = EVERY.into_iter().rev();
    let table = Routes::from_iter(shuffled).unwrap();
    let table = table.mode(Mode::Production).to_string();
    assert_eq!(table, routes.to_string());
    assert_eq!(table, expected);
}

#[test]
fn in_development_the_legend_says_what_is_rendered_now_and_what_in_production() {
    let routes = Routes::from_iter(EVERY).unwrap().mode(Mode::Development);
    let table = routes.to_string();
    let legend = "
○ static: rendered for each request, with a blank one; in production, once
● rendered for each request; in production, ahead, from `static_params`
◐ revalidated: rendered for each request; in production, again when stale
ƒ dynamic: rendered for each request

In production, without `expire`, a stale response is served however old it is, while the next one \
                  is rendered.
";
    assert!(table.ends_with(legend), "{table}");
}

#[route("/listing/frozen/[id]", static_params = ids)]
async fn frozen_list(id: u8, state: Option<Data<u8>>) -> String {
    format!("{id} {state:?}")
}

#[route("/listing/frozen/thin")]
async fn frozen_thin(state: Result<ThinData<u8>, actix_web::Error>) -> String {
    format!("{}", state.is_ok())
}

#[route("/listing/decided/tags", tags = ["listing"])]
async fn decided_tags(_state: Data<u8>) -> &'static str {
    "tags"
}

#[route("/listing/decided/never", revalidate = false)]
async fn decided_never(_state: Data<u8>) -> &'static str {
    "never"
}

#[route("/listing/decided/static", dynamic = "force-static")]
async fn decided_static(_state: Data<u8>) -> &'static str {
    "static"
}

#[route("/listing/decided/dynamic", dynamic = "force-dynamic")]
async fn decided_dynamic(_state: Data<u8>) -> &'static str {
    "dynamic"
}

#[route("/listing/still/[id]", static_params = ids)]
async fn still(id: u8, _path: Option<Path<u8>>, pathname: Pathname) -> String {
    format!("{id} {pathname}")
}

#[actix_web::test]
async fn a_route_that_reads_app_data_for_ever_by_default_has_a_warning() {
    let every = [
        frozen_list::ROUTE,
        frozen_thin::ROUTE,
        nothing::ROUTE,
        error::ROUTE,
        reads::ROUTE,
        decided_tags::ROUTE,
        decided_never::ROUTE,
        decided_static::ROUTE,
        decided_dynamic::ROUTE,
        still::ROUTE,
    ];
    let routes = Routes::from_iter(every).unwrap();
    let frozen = [
        "/listing/frozen/[id]",
        "/listing/frozen/thin",
        "/listing/nothing",
    ];
    let warnings = routes.warnings().await;
    let warned: Vec<_> = warnings
        .iter()
        .map(|warning| match warning {
            RouteWarning::ForEver(place) => place.pattern,
            other => panic!("{other:?}"),
        })
        .collect();
    assert_eq!(warned, frozen);

    const WHY: &str = "for ever: reads app data, has neither `revalidate` nor `tags`";
    let table = routes.to_string();
    let marked: Vec<_> = table.lines().filter(|line| line.contains(WHY)).collect();
    assert_eq!(marked.len(), frozen.len(), "{table}");
    for route in serde_json::from_str::<Vec<Value>>(&routes.to_json()).unwrap() {
        let pattern = route["pattern"].as_str().unwrap();
        let expected = if frozen.contains(&pattern) {
            json!([WHY])
        } else {
            json!([])
        };
        assert_eq!(route["warnings"], expected, "{pattern}");
        let is_marked = marked.iter().any(|line| line.contains(pattern));
        assert_eq!(is_marked, frozen.contains(&pattern), "{pattern}");
    }
}

#[test]
fn a_table_without_routes_is_empty() {
    let routes = Routes::from_iter([]).unwrap();
    assert_eq!(routes.iter().len(), 0);
    assert_eq!(routes.pattern_of("/"), None);
    assert!(!routes.to_string().contains('/'));
}
