//! The checked table of routes, and the settings that it has when it is served.

mod build_id;
mod check;
mod data;
mod error;
mod id;
mod sections;
mod setup;
mod sharing;

use std::collections::BTreeMap;
use std::sync::Arc;
use std::sync::atomic::AtomicBool;

use actix_web::dev::{ResourceDef, ServiceRequest, Url};
use actix_web::http::header::HeaderValue;

use crate::declaration::{Kind, Method, ParamTexts, Rendering, RouteDescriptor, decide};
use crate::owner::Owner;
use crate::pattern::{Params, Segment, Trie, canonical, encode_segment};
use crate::section::{Section, SectionDeclaration};
use crate::store::Tag;
use crate::tags;

pub(crate) use self::data::SharedData;
pub(crate) use self::error::MissingData;
pub use self::error::{Place, RouteProblem, RoutesError};
pub(crate) use self::id::{ByHandler, HandlerId, NodeId};
pub(crate) use self::sections::{Covering, SectionId, SectionIds};
pub(crate) use self::setup::Setup;
pub(crate) use self::sharing::Sharing;

/// Every path and every handler of the routes. A table is immutable once it is built.
pub(crate) struct Table {
    /// The nodes by id. The trie finds the id.
    nodes: Vec<Node>,
    /// The handlers by id, sorted by path and method. The order of paths leaves out groups and
    /// the names of parameters.
    handlers: Vec<Handler>,
    pub(crate) trie: Trie<NodeId>,
    prefix: Prefix,
    /// The sections, the outermost first.
    pub(crate) sections: Vec<Section>,
    declared_sections: Vec<Arc<SectionDeclaration>>,
    /// What is wrong with the sections. It keeps the routes from being served.
    section_problems: Vec<RouteProblem>,
}

/// The literal segments before every pattern. There are none if there is no prefix.
#[derive(Clone, Default)]
struct Prefix {
    text: String,
    segments: Vec<Segment>,
}

impl Prefix {
    fn parse(text: &str) -> Result<Self, RoutesError> {
        Ok(Self {
            text: text.into(),
            segments: check::prefix(text)?,
        })
    }

    fn before(&self, segments: &[Segment]) -> Vec<Segment> {
        self.segments.iter().chain(segments).copied().collect()
    }
}

/// A path, and the handlers of its methods.
pub(crate) struct Node {
    pub(crate) pattern: String,
    /// The segments of the whole pattern, including the prefix.
    segments: Vec<Segment>,
    pub(crate) kind: Kind,
    /// The value of the `Allow` header.
    pub(crate) allow: HeaderValue,
    /// The sections that cover paths of this node, the outermost first.
    pub(crate) sections: Vec<Covering>,
    /// The pattern in actix-web's syntax, to fill `match_info`. `None` if it has no parameters.
    resource: Option<ResourceDef>,
    handlers: [Option<HandlerId>; Method::ALL.len()],
}

pub(crate) struct Handler {
    pub(crate) descriptor: RouteDescriptor,
    pub(crate) rendering: Rendering,
    pub(crate) node: NodeId,
    /// The segments of the whole pattern, including the prefix.
    pub(crate) segments: Vec<Segment>,
    /// Set if an extractor or a middleware of the handler may read `match_info`.
    reads_match_info: bool,
    /// Set once the log has said that a response with a cookie asked shared caches to keep it.
    pub(crate) is_cookie_told: AtomicBool,
    /// Set once the log has said that a response has more tags than shared caches outside get.
    pub(crate) are_tags_told: AtomicBool,
}

impl Handler {
    /// Returns the owner of the code that runs for this handler.
    pub(crate) fn owner(&self) -> Owner {
        Owner(self.descriptor.pattern)
    }

    pub(crate) fn has_params(&self) -> bool {
        Segment::has_params(&self.segments)
    }

    /// Returns the path with these parameters.
    pub(crate) fn path(&self, params: &ParamTexts) -> String {
        let mut path = String::new();
        let mut push = |text: &str| {
            path.push('/');
            encode_segment(text, &mut path);
        };
        let mut params = params.iter();
        for segment in &self.segments {
            match segment {
                Segment::Literal(text) => push(text),
                Segment::Group(_) => {}
                Segment::Param(_) | Segment::CatchAll(_) | Segment::OptionalCatchAll(_) => {
                    params
                        .next()
                        .into_iter()
                        .flatten()
                        .for_each(|text| push(text));
                }
            }
        }
        if path.is_empty() {
            path.push('/');
        }
        path
    }
}

impl Node {
    pub(crate) fn handler(&self, method: Method) -> Option<HandlerId> {
        self.handlers[method as usize]
    }
}

impl Table {
    /// Builds the table: checks the routes, groups them by path, decides which are cached, and which
    /// sections cover them.
    pub(crate) fn build(mut routes: Vec<RouteDescriptor>) -> Result<Self, RoutesError> {
        // `inventory` promises no order.
        routes.sort_by_key(|route| (route.pattern, route.method, route.source));
        check::check(&routes)?;
        Ok(Self::assemble(routes, Prefix::default(), Vec::new()))
    }

    /// Builds the same table behind another prefix.
    pub(crate) fn at(&self, prefix: &str) -> Result<Self, RoutesError> {
        let prefix = Prefix::parse(prefix)?;
        let sections = self.declared_sections.clone();
        Ok(Self::assemble(self.declarations(), prefix, sections))
    }

    /// Builds the same table with a section more, inside the others.
    pub(crate) fn with_section(&self, section: Arc<SectionDeclaration>) -> Self {
        let mut sections = self.declared_sections.clone();
        sections.push(section);
        Self::assemble(self.declarations(), self.prefix.clone(), sections)
    }

    /// Builds the table of checked routes.
    fn assemble(
        routes: Vec<RouteDescriptor>,
        prefix: Prefix,
        sections: Vec<Arc<SectionDeclaration>>,
    ) -> Self {
        let mut paths: BTreeMap<String, Vec<RouteDescriptor>> = BTreeMap::new();
        for route in routes {
            paths.entry(shape(route.segments)).or_default().push(route);
        }
        let mut table = Self {
            nodes: Vec::with_capacity(paths.len()),
            handlers: Vec::new(),
            trie: Trie::new(),
            prefix,
            sections: Vec::new(),
            declared_sections: sections,
            section_problems: Vec::new(),
        };
        for path in paths.into_values() {
            table.add(&path);
        }
        table.place_sections();
        table
    }

    /// Returns one handler.
    pub(crate) fn handler(&self, id: HandlerId) -> &Handler {
        &self.handlers[id.0]
    }

    /// Returns every handler, sorted by path and method. The order of paths leaves out groups and
    /// the names of parameters.
    pub(crate) fn handlers(
        &self,
    ) -> impl ExactSizeIterator<Item = (HandlerId, &Handler)> + DoubleEndedIterator {
        let handlers = self.handlers.iter().enumerate();
        handlers.map(|(index, handler)| (HandlerId(index), handler))
    }

    /// Returns the declarations of every handler.
    fn declarations(&self) -> Vec<RouteDescriptor> {
        let handlers = self.handlers.iter();
        handlers.map(|handler| handler.descriptor).collect()
    }

    /// Returns one node.
    pub(crate) fn node(&self, id: NodeId) -> &Node {
        &self.nodes[id.0]
    }

    /// Returns the kind of the app: if there are only pages, clients expect HTML everywhere.
    pub(crate) fn kind(&self) -> Kind {
        let is_site = !self.nodes.is_empty() && self.nodes.iter().all(|it| it.kind == Kind::Page);
        if is_site { Kind::Page } else { Kind::Route }
    }

    /// Returns every node.
    pub(crate) fn nodes(&self) -> impl ExactSizeIterator<Item = &Node> {
        self.nodes.iter()
    }

    /// Fills actix-web's `match_info`, if the handler or a section may read it.
    pub(crate) fn capture(&self, handler: &Handler, request: &mut ServiceRequest) {
        let node = self.node(handler.node);
        if (handler.reads_match_info || !node.sections.is_empty())
            && let Some(resource) = &node.resource
        {
            if resource.capture_match_info(request.match_info_mut()) {
                return;
            }
            // actix-web leaves `%2B` encoded, so a literal `+` does not match it. The canonical
            // path has `+`.
            let uri = canonical(request.path()).and_then(|path| path.parse().ok());
            if let Some(uri) = uri {
                request.match_info_mut().set(Url::new(uri));
                resource.capture_match_info(request.match_info_mut());
            }
        }
    }

    /// Returns a declared path behind the prefix.
    pub(crate) fn prefixed(&self, path: &str) -> String {
        match (&*self.prefix.text, path) {
            ("", path) => path.into(),
            (prefix, "/") => prefix.into(),
            (prefix, path) => format!("{prefix}{path}"),
        }
    }

    /// Returns the node of a pattern. The pattern includes the prefix, and is spelt as one of its
    /// handlers declares it, or without groups.
    pub(crate) fn node_of_pattern(&self, pattern: &str) -> Option<&Node> {
        let is_declared = |node: &Node| {
            let mut handlers = node.handlers.iter().flatten();
            handlers.any(|&it| self.prefixed(self.handler(it).descriptor.pattern) == pattern)
        };
        let mut nodes = self.nodes.iter();
        nodes.find(|node| {
            node.pattern == pattern || without_groups(&node.pattern) == pattern || is_declared(node)
        })
    }

    /// Returns the tags on which a handler's response for a path depends by its declaration.
    pub(crate) fn tags(&self, handler: HandlerId, path: &str, params: &Params) -> Arc<[Tag]> {
        let handler = self.handler(handler);
        let pattern = tags::pattern_tag(&self.node(handler.node).pattern);
        tags::of_path(path, pattern, &handler.descriptor.config, params)
    }

    fn add(&mut self, path: &[RouteDescriptor]) {
        let first = &path[0];
        let segments = self.prefix.before(first.segments);
        let node = NodeId(self.nodes.len());
        *self.trie.slot(&segments) = Some(node);

        let mut handlers = [None; Method::ALL.len()];
        for route in path {
            handlers[route.method as usize] = Some(HandlerId(self.handlers.len()));
            self.handlers.push(Handler {
                descriptor: *route,
                rendering: decide(route, path),
                node,
                segments: segments.clone(),
                reads_match_info: !route.arguments.is_empty() || !route.config.wrap.is_empty(),
                is_cookie_told: AtomicBool::new(false),
                are_tags_told: AtomicBool::new(false),
            });
        }
        self.nodes.push(Node {
            pattern: self.prefixed(first.pattern),
            kind: first.kind,
            allow: allow(&handlers),
            sections: Vec::new(),
            resource: resource(&segments),
            segments,
            handlers,
        });
    }
}

/// Returns the pattern as it is served, without groups, which are not part of the URL.
fn without_groups(pattern: &str) -> String {
    let segments = pattern.split('/').skip(1);
    let served = segments.filter(|it| !(it.starts_with('(') && it.ends_with(')')));
    let served: String = served.flat_map(|segment| ["/", segment]).collect();
    if served.is_empty() {
        "/".into()
    } else {
        served
    }
}

/// Returns the text that all patterns of one path share: without groups and without the names of
/// parameters.
pub(super) fn shape(segments: &[Segment]) -> String {
    let mut shape = String::new();
    for segment in segments {
        match segment {
            Segment::Group(_) => continue,
            Segment::Literal(text) => {
                shape.push('/');
                encode_segment(text, &mut shape);
                continue;
            }
            Segment::Param(_) => shape.push_str("/[]"),
            Segment::CatchAll(_) => shape.push_str("/[...]"),
            Segment::OptionalCatchAll(_) => shape.push_str("/[[...]]"),
        }
    }
    shape
}

fn allow(handlers: &[Option<HandlerId>; Method::ALL.len()]) -> HeaderValue {
    let is_declared = |method: Method| handlers[method as usize].is_some();
    let allowed: Vec<_> = Method::ALL
        .into_iter()
        .filter(|&method| match method {
            Method::Options => true,
            Method::Head => is_declared(Method::Head) || is_declared(Method::Get),
            _ => is_declared(method),
        })
        .map(Method::as_str)
        .collect();
    HeaderValue::from_str(&allowed.join(", ")).unwrap_or(HeaderValue::from_static("OPTIONS"))
}

/// Returns the pattern in actix-web's own syntax, so that `web::Path` finds its parameters. Returns
/// `None` if the pattern has no parameters.
fn resource(segments: &[Segment]) -> Option<ResourceDef> {
    let mut path = String::new();
    let mut has_params = false;
    for segment in segments {
        match segment {
            Segment::Group(_) => {}
            Segment::Literal(text) => {
                path.push('/');
                // actix-web matches the decoded path, in which only `%`, `+` and `/` stay encoded.
                path.push_str(&text.replace('%', "%25"));
            }
            Segment::Param(name) => {
                has_params = true;
                path.push_str(&format!("/{{{name}}}"));
            }
            Segment::CatchAll(name) => {
                return Some(ResourceDef::new(format!("{path}/{{{name}:.+}}")));
            }
            Segment::OptionalCatchAll(name) => {
                let below = format!("{path}/{{{name}:.*}}");
                return Some(if path.is_empty() {
                    ResourceDef::new(below)
                } else {
                    ResourceDef::new(vec![path, below])
                });
            }
        }
    }
    has_params.then(|| ResourceDef::new(path))
}
