//! Exporting every response as a file, for a CDN or any server of static files.
//!
//! [`Export`] renders each cached route ahead, and each path that a `static_params` lists, and
//! writes a directory:
//!
//! | | |
//! |---|---|
//! | `<path>/index.<ext>` | the body; the content type decides the extension |
//! | `_headers` | the content type, and the other headers that the handler set |
//! | `_redirects` | the targets of redirects, and the file of each path if it is no `index.html` |
//!
//! `_headers` and `_redirects` have the format that Netlify and Cloudflare Pages read. Cloudflare
//! Pages reads at most 100 rules of `_headers`, and an export writes one for each path. A path that
//! answers 404 has no file, and every server answers it with 404. The same routes make the same
//! files.
//!
//! An export fails if a directory cannot serve some of the routes. The error lists all of them:
//!
//! - routes that are rendered for each request, answer methods other than GET, or have a `wrap`;
//! - routes whose parameters `static_params` does not list, or that answer for others because
//!   `dynamic_params = false` is missing;
//! - responses that are for one request only, or have another status than 200, 301, 302, 307, 308
//!   and 404;
//! - paths that cannot be the name of a file.
//!
//! ```
//! use route_runtime::export::Export;
//! use route_runtime::{Routes, page, route};
//!
//! #[page("/")]
//! async fn home() -> &'static str {
//!     "<h1>Home</h1>"
//! }
//!
//! #[route("/robots.txt")]
//! async fn robots() -> &'static str {
//!     "User-agent: *"
//! }
//!
//! # #[actix_web::main]
//! # async fn main() -> Result<(), Box<dyn std::error::Error>> {
//! # let directory = std::env::temp_dir().join(format!("route-export-{}", std::process::id()));
//! let routes = Routes::from_iter([home::ROUTE, robots::ROUTE])?;
//! let exported = Export::of(&routes).write(&directory).await?;
//! assert_eq!(exported.files, 2);
//! assert_eq!(
//!     std::fs::read_to_string(directory.join("robots.txt/index.txt"))?,
//!     "User-agent: *"
//! );
//! # std::fs::remove_dir_all(directory)?;
//! # Ok(())
//! # }
//! ```

use std::path::Path;

use actix_web::http::{StatusCode, header};
use futures_util::{StreamExt as _, stream};

use self::directory::Stage;
pub use self::error::{ExportError, Refusal};
use self::layout::{Layout, extension};
use self::rules::Rules;
use crate::declaration::{DynamicReason, Method, Rendering};
use crate::engine::{Answer, Content, Failure};
use crate::middleware::AppliedMiddleware;
use crate::routes::{AT_ONCE, KnownPath, Routes, Step, Watch, known_paths};
use crate::stored::{Reason, Stored, StoredResponse};
use crate::table::{Handler, Place, Table};

mod directory;
mod error;
mod layout;
mod rules;

const HEADERS: &str = "_headers";
const REDIRECTS: &str = "_redirects";
/// The name of a file by which an export recognises an earlier export, which it may replace.
const MARKER: &str = ".route-export";

const BY_A_PROGRAM: &str = "let a program serve it";
const LISTED: &str = "list the parameters: `static_params = …, dynamic_params = false`";
const ANOTHER_PATH: &str = "give it another path";

/// An export of routes, to be written; see the [module](self).
#[must_use = "an export does nothing until it is written"]
pub struct Export<'a> {
    routes: &'a Routes,
    force: bool,
    partial: bool,
    watch: Watch,
}

/// The result of an export.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Exported {
    /// The number of responses that have a file.
    pub files: usize,
    /// The number of paths that redirect.
    pub redirects: usize,
    /// The number of paths that answer 404 and have no file.
    pub absent: usize,
    /// The routes and paths that were left out. Only a [partial](Export::partial) export leaves any
    /// out.
    pub left_out: Vec<Refusal>,
    /// The patterns of routes that have no file, because `static_params` gives no path.
    pub without_paths: Vec<String>,
}

impl<'a> Export<'a> {
    /// Makes an export of these routes. They are rendered as in production, and no store is read or
    /// written.
    pub fn of(routes: &'a Routes) -> Self {
        Self {
            routes,
            force: false,
            partial: false,
            watch: Watch::default(),
        }
    }

    /// Replaces a directory even if it is not empty and no export has written it. Everything in it
    /// is deleted. The directory that the process runs in is never replaced.
    pub fn force(mut self, force: bool) -> Self {
        self.force = force;
        self
    }

    /// Leaves out the routes and paths that cannot be exported, instead of failing.
    pub fn partial(mut self, partial: bool) -> Self {
        self.partial = partial;
        self
    }

    /// Reports the progress of the export to `watch`.
    #[cfg(feature = "cli")]
    pub(crate) fn watched(mut self, watch: Watch) -> Self {
        self.watch = watch;
        self
    }

    /// Renders the routes and writes the directory, all of it or nothing. An earlier export in it
    /// is replaced.
    ///
    /// # Errors
    ///
    /// See [`ExportError`], also for the one case in which an error leaves the directory
    /// incomplete.
    pub async fn write(self, directory: impl AsRef<Path>) -> Result<Exported, ExportError> {
        let directory = directory.as_ref();
        directory::check(directory, self.force)?;
        let routes = self.routes.to_be_exported();
        routes.check().await?;
        let stage = Stage::open(directory)?;
        let mut writing = Writing::new(stage);
        let table = &routes.served.setup.table;
        for (_, handler) in table.handlers() {
            if let Some((why, help)) = route_refusal(table, handler) {
                writing.refuse(why, None, Some(handler), help);
            }
        }
        let (mut known, failures) =
            known_paths(&routes, |handler| route_refusal(table, handler).is_none()).await;
        for failure in failures {
            let help = "correct what `static_params` gives";
            writing.refuse(failure.reason, Some(failure.path), None, help);
        }
        known.sort_by(|a, b| a.path.cmp(&b.path));
        self.watch.see(Step::Begun(known.len()));
        let renders = stream::iter(known).map(|known| async {
            let cache = routes.cache();
            let answer = cache.get_ahead(known.handler, &known.path, &known.params);
            let answer = answer.await;
            (known, answer)
        });
        // Responses are written in the order of their paths, so that of two paths that collide the
        // same one is written each time.
        let mut renders = renders.buffered(AT_ONCE);
        while let Some((known, answer)) = renders.next().await {
            let handler = table.handler(known.handler);
            writing.write_answer(&known, handler, answer)?;
            self.watch.see(Step::Rendered);
        }
        self.watch.see(Step::Ended);
        writing.exported.without_paths = routes.without_paths().await;
        if self.partial || writing.exported.left_out.is_empty() {
            writing.finish()
        } else {
            Err(ExportError::Refused(writing.exported.left_out))
        }
    }
}

/// Returns the reason why a route cannot be exported, whatever it answers, and what to do about it.
fn route_refusal(table: &Table, handler: &Handler) -> Option<(String, &'static str)> {
    let config = &handler.descriptor.config;
    if handler.descriptor.method != Method::Get {
        let why = format!(
            "answers {}, and a file is only read",
            handler.descriptor.method
        );
        return Some((why, BY_A_PROGRAM));
    }
    if let Rendering::Dynamic(reason) = handler.rendering {
        let help = match reason {
            DynamicReason::Method(_) => BY_A_PROGRAM,
            DynamicReason::Forced | DynamicReason::RevalidateZero => {
                "let a program serve it, or remove the option"
            }
            DynamicReason::ReadsRequest(_) => "let a program serve it, or remove the argument",
            DynamicReason::Params => LISTED,
            DynamicReason::Beside(..) => {
                "let a program serve it, or write `revalidate = false` if the other method \
                 changes nothing of it"
            }
        };
        return Some((format!("rendered for each request: {reason}"), help));
    }
    if !config.wrap.is_empty() {
        return Some((
            "has a `wrap`, which does not run before a file is read".into(),
            "let a program serve it, or remove `wrap` if everyone may read it",
        ));
    }
    let middleware = table.middleware(handler);
    if let Some(section) = middleware.first().and_then(AppliedMiddleware::section) {
        return Some((
            format!(
                "is in the section {section}, whose middleware does not run before a file is read"
            ),
            "let a program serve it, or declare the section only where the routes are served",
        ));
    }
    if handler.has_params() && config.static_params.is_none() {
        return Some(("has parameters that nothing lists".into(), LISTED));
    }
    if handler.has_params() && config.dynamic_params {
        return Some((
            "answers for parameters that `static_params` does not list".into(),
            "write `dynamic_params = false`: then no others are answered",
        ));
    }
    None
}

/// An export that is being written.
struct Writing {
    stage: Stage,
    layout: Layout,
    rules: Rules,
    exported: Exported,
}

/// The reason why a path is not written.
enum Stop {
    /// The path cannot be exported: the reason, and what to do about it.
    Refused(String, &'static str),
    /// The whole export fails.
    Failed(ExportError),
}

impl From<ExportError> for Stop {
    fn from(error: ExportError) -> Self {
        Self::Failed(error)
    }
}

impl Writing {
    fn new(stage: Stage) -> Self {
        Self {
            stage,
            layout: Layout::default(),
            rules: Rules::default(),
            exported: Exported {
                files: 0,
                redirects: 0,
                absent: 0,
                left_out: Vec::new(),
                without_paths: Vec::new(),
            },
        }
    }

    fn refuse(
        &mut self,
        why: String,
        path: Option<String>,
        handler: Option<&Handler>,
        help: &'static str,
    ) {
        self.exported.left_out.push(Refusal {
            why,
            path,
            route: handler.map(|handler| Place::from(&handler.descriptor)),
            help,
        });
    }

    fn write_answer(
        &mut self,
        known: &KnownPath,
        handler: &Handler,
        answer: Result<Answer<Stored>, Failure>,
    ) -> Result<(), ExportError> {
        let result = match answer.map(|answer| answer.content) {
            Ok(Content::Entry(entry)) => self.write_stored(&known.path, entry.value()),
            Ok(Content::Once(stored)) => self.write_stored(&known.path, &stored),
            Ok(Content::Individual(individual)) => Err(Stop::Refused(
                individual.reason.to_string(),
                match individual.reason {
                    Reason::Data(_) => "have the data cached, or write `revalidate = false`",
                    _ => BY_A_PROGRAM,
                },
            )),
            Err(failure) => Err(Stop::Refused(failure.to_string(), "export again")),
        };
        match result {
            Ok(()) => Ok(()),
            Err(Stop::Refused(why, help)) => {
                self.refuse(why, Some(known.path.clone()), Some(handler), help);
                Ok(())
            }
            Err(Stop::Failed(error)) => Err(error),
        }
    }

    fn write_stored(&mut self, path: &str, stored: &Stored) -> Result<(), Stop> {
        match stored.response() {
            Some(response) => self.write_response(path, response),
            None => Err(Stop::Refused("it was not rendered".into(), "export again")),
        }
    }

    fn write_response(&mut self, path: &str, response: &StoredResponse) -> Result<(), Stop> {
        match response.status {
            StatusCode::OK => self.write_file(path, response),
            StatusCode::MOVED_PERMANENTLY
            | StatusCode::FOUND
            | StatusCode::TEMPORARY_REDIRECT
            | StatusCode::PERMANENT_REDIRECT => self.write_redirect(path, response),
            StatusCode::NOT_FOUND => {
                self.exported.absent += 1;
                Ok(())
            }
            status => Err(Stop::Refused(
                format!("it answers {status}, and a file is answered with 200"),
                "correct what fails, or let a program serve it",
            )),
        }
    }

    fn write_file(&mut self, path: &str, response: &StoredResponse) -> Result<(), Stop> {
        let headers = exported_headers(response).map_err(|why| Stop::Refused(why, BY_A_PROGRAM))?;
        let content_type = headers
            .iter()
            .find(|(name, _)| name == header::CONTENT_TYPE.as_str());
        let extension = extension(content_type.map_or("", |(_, value)| value));
        let file = self.layout.file(path, extension);
        let file = file.map_err(|why| Stop::Refused(why, ANOTHER_PATH))?;
        self.stage.write(&file, &response.body)?;
        self.rules.headers(path, headers);
        self.rules.rewrite(path, extension);
        self.exported.files += 1;
        Ok(())
    }

    fn write_redirect(&mut self, path: &str, response: &StoredResponse) -> Result<(), Stop> {
        let location = response
            .headers
            .iter()
            .find(|(name, _)| *name == header::LOCATION)
            .and_then(|(_, value)| value.to_str().ok());
        let status = response.status.as_u16();
        let free = self.layout.no_file(path);
        free.map_err(|why| Stop::Refused(why, ANOTHER_PATH))?;
        let rule = self.rules.redirect(path, status, location.unwrap_or(""));
        rule.map_err(|why| Stop::Refused(why, "redirect to a path or a URL, without spaces"))?;
        self.exported.redirects += 1;
        Ok(())
    }

    fn finish(self) -> Result<Exported, ExportError> {
        for (name, content) in [
            (HEADERS, self.rules.headers_file()),
            (REDIRECTS, self.rules.redirects_file()),
        ] {
            if !content.is_empty() {
                self.stage.write(Path::new(name), content.as_bytes())?;
            }
        }
        self.stage.publish()?;
        Ok(self.exported)
    }
}

/// Returns the headers to export beside the body. They are sorted, because a map of headers has no
/// order.
fn exported_headers(response: &StoredResponse) -> Result<Vec<(String, String)>, String> {
    let mut headers = Vec::new();
    for (name, value) in &response.headers {
        // Servers of files make their own `ETag`.
        if name == header::ETAG {
            continue;
        }
        if name == header::CONTENT_ENCODING {
            return Err("its body is encoded, which not every client can read".into());
        }
        let Ok(value) = value.to_str() else {
            return Err(format!("its header `{name}` is not ASCII"));
        };
        headers.push((name.to_string(), value.into()));
    }
    headers.sort_by(|(a, _), (b, _)| a.cmp(b));
    Ok(headers)
}
