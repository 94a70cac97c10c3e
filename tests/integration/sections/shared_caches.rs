//! What shared caches outside may keep of a section.

use actix_web::middleware::DefaultHeaders;
use route_runtime::testing::TestApp;
use route_runtime::{Mode, RouteProblem, Routes, route};

use super::guard;

#[route("/sections/shared/plain", revalidate = 60)]
async fn plain() -> &'static str {
    "plain"
}

#[route("/sections/shared/yes", revalidate = 60, cdn = true)]
async fn yes() -> &'static str {
    "yes"
}

#[route("/sections/shared/public", revalidate = 60, cdn = "public")]
async fn public() -> &'static str {
    "public"
}

#[route("/sections/shared/some/[...slug]", revalidate = 60, cdn = true)]
async fn some(slug: Vec<String>) -> String {
    slug.join("|")
}

const ALL: &str = "/sections/shared/[[...rest]]";

async fn told(routes: Routes, path: &str) -> String {
    let app = TestApp::new(routes.mode(Mode::Production)).await.unwrap();
    let request = || actix_web::test::TestRequest::with_uri(path).insert_header(("x-key", "k"));
    app.send(request()).await;
    let hit = app.send(request()).await;
    hit.header("cache-control").unwrap().to_owned()
}

const PRIVATE: &str = "private, no-cache";
const SHARED: &str = "max-age=0, s-maxage=60, public";

#[actix_web::test]
async fn the_setting_of_the_server_holds_only_in_sections_that_decide_nothing() {
    let routes = || Routes::from_iter([plain::ROUTE]).unwrap().cdn(true);
    let path = "/sections/shared/plain";
    assert_eq!(told(routes(), path).await, SHARED);
    assert_eq!(told(routes().wrap(ALL, guard), path).await, PRIVATE);
    let open = routes().wrap_open(ALL, DefaultHeaders::new);
    assert!(open.to_string().contains("  yes  "), "{open}");
    assert_eq!(told(open.clone(), path).await, SHARED);
    let both = open.wrap(path, guard);
    assert!(!both.to_string().contains("  yes  "), "{both}");
    assert_eq!(told(both, path).await, PRIVATE);
}

#[actix_web::test]
async fn cdn_true_in_a_section_that_may_decide_is_an_error_and_public_is_none() {
    let routes = |handler| Routes::from_iter([plain::ROUTE, handler]).unwrap();
    let error = routes(yes::ROUTE)
        .wrap(ALL, guard)
        .check()
        .await
        .unwrap_err();
    assert!(matches!(
        error.problems(),
        [RouteProblem::SharedBehindSection { route, section }]
            if route.pattern == "/sections/shared/yes" && section.middleware == "guard"
    ));
    let path = "/sections/shared/yes";
    let open = routes(yes::ROUTE).wrap_open(ALL, DefaultHeaders::new);
    assert_eq!(told(open, path).await, SHARED);
    let path = "/sections/shared/public";
    assert_eq!(
        told(routes(public::ROUTE).wrap(ALL, guard), path).await,
        SHARED
    );
}

#[actix_web::test]
async fn of_a_route_that_is_partly_in_a_section_only_the_other_paths_are_shared() {
    // The section covers all paths of one route and some of another.
    #[route("/sections/shared/some/secret/root")]
    async fn root() -> &'static str {
        "root"
    }
    let routes = || {
        let routes = Routes::from_iter([some::ROUTE, root::ROUTE]).unwrap();
        routes.wrap("/sections/shared/some/secret/[[...rest]]", guard)
    };
    let below = |rest: &str| format!("/sections/shared/some/{rest}");
    assert_eq!(told(routes(), &below("a")).await, SHARED);
    assert_eq!(told(routes(), &below("secret/a")).await, PRIVATE);
    assert_eq!(told(routes(), &below("se%63ret/a")).await, PRIVATE);
}
