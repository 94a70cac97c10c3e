//! The names by which something is invalidated, and the errors for names that reach nothing.

use super::*;

#[route("/naming/(shop)/items/[id]", revalidate = false)]
async fn grouped(id: String, runs: Data<Runs>) -> String {
    format!("{id} {}", runs.next())
}

/// A handler of the same path, in another group.
#[route(POST, "/naming/(admin)/items/[id]")]
async fn change_grouped(id: String) -> String {
    id
}

#[route("/naming/docs/[...path]", revalidate = false)]
async fn docs(path: Vec<String>) -> String {
    path.join(" ")
}

#[route("/naming/wiki/[title]", revalidate = false)]
async fn wiki(title: String, runs: Data<Runs>) -> String {
    format!("{title} {}", runs.next())
}

async fn two() -> [&'static str; 2] {
    ["a", "b"]
}

#[route("/naming/listed/[id]", static_params = two, dynamic_params = false)]
async fn listed(id: String) -> String {
    id
}

#[actix_web::test]
async fn a_pattern_is_found_with_its_groups_and_without() {
    for prefix in ["", "/v1"] {
        let routes = production([grouped::ROUTE, change_grouped::ROUTE]);
        let routes = routes.at(prefix).unwrap().data(Runs::default());
        let app = TestApp::new(routes).await.unwrap();
        let path = format!("{prefix}/naming/items/a");
        for (run, pattern) in [
            (2, "/naming/(shop)/items/[id]"),
            (3, "/naming/items/[id]"),
            (4, "/naming/(admin)/items/[id]"),
        ] {
            assert_eq!(app.get(&path).await.text(), format!("a {}", run - 1));
            let pattern = format!("{prefix}{pattern}");
            app.routes().revalidate_pattern(pattern).await.unwrap();
            assert_eq!(app.get(&path).await.text(), format!("a {run}"));
        }
        for other in ["/naming/(other)/items/[id]", "/naming/items/[name]"] {
            let unknown = app
                .routes()
                .revalidate_pattern(format!("{prefix}{other}"))
                .await;
            assert!(
                matches!(unknown, Err(RevalidateError::UnknownPattern(_))),
                "{other}"
            );
        }
    }
}

#[actix_web::test]
async fn what_reaches_nothing_is_an_error_that_says_what_to_call() {
    let all = [grouped::ROUTE, docs::ROUTE, wiki::ROUTE, listed::ROUTE];
    let routes = production(all).data(Runs::default());
    let app = TestApp::new(routes).await.unwrap();
    for pattern in [
        "/naming/(shop)/items/[id]",
        "/naming/items/[id]",
        "/naming/docs/[...path]",
        "/naming/wiki/[title]",
        // It is none of ours, and surely no path.
        "/naming/wiki/[slug]",
        "/naming/(shop)/items/7",
    ] {
        let error = app.routes().revalidate_path(pattern).await.unwrap_err();
        assert!(
            matches!(error, RevalidateError::PathIsPattern(_)),
            "{error:?}"
        );
        let text = error.to_string();
        assert!(
            text.contains(&format!("revalidate_pattern(\"{pattern}\")")),
            "{text}"
        );
    }
    for path in ["/naming/items/7", "/naming/docs/a/b", "/naming/listed/a"] {
        let error = app.routes().revalidate_pattern(path).await.unwrap_err();
        assert!(
            matches!(error, RevalidateError::PatternIsPath(_)),
            "{error:?}"
        );
        let text = error.to_string();
        assert!(
            text.contains(&format!("revalidate_path(\"{path}\")")),
            "{text}"
        );
        assert!(app.routes().revalidate_path(path).await.is_ok());
    }
    let unfinished = app.routes().revalidate_pattern("/naming/items/[id").await;
    assert!(
        matches!(unfinished, Err(RevalidateError::UnknownPattern(_))),
        "{unfinished:?}"
    );
    let unlisted = app.routes().revalidate_path("/naming/listed/c").await;
    assert!(
        matches!(unlisted, Err(RevalidateError::UnlistedPath(_))),
        "{unlisted:?}"
    );
    for nothing in [
        "/naming/items",
        "/nowhere",
        "naming/items/7",
        "/naming/items/7?a=b",
    ] {
        let error = app.routes().revalidate_path(nothing).await.unwrap_err();
        assert!(
            matches!(error, RevalidateError::UnknownPath(_)),
            "{error:?}"
        );
    }
}

/// Values may look like what patterns are made of.
#[actix_web::test]
async fn a_value_in_brackets_is_written_encoded_and_one_in_parentheses_is_a_value() {
    let app = TestApp::new(production([wiki::ROUTE]).data(Runs::default()));
    let app = app.await.unwrap();
    for (path, text, others) in [
        (wiki::path("[title]"), "[title]", "/naming/wiki/%5Btitle%5D"),
        (wiki::path("(film)"), "(film)", "/naming/wiki/(film)"),
    ] {
        let first = app.get(&path).await.text().to_owned();
        assert!(first.starts_with(text), "{first}");
        app.routes().revalidate_path(others).await.unwrap();
        assert_ne!(app.get(&path).await.text(), first);
    }
}
