//! Which sections cover which nodes of a table.

use std::rc::Rc;

use super::{Handler, Node, RouteProblem, Table};
use crate::declaration::Cdn;
use crate::middleware::{AppliedMiddleware, Wrap};
use crate::section::{Coverage, Section, SectionPlace};

/// The place of a section in its table.
pub(crate) type SectionId = usize;

/// The sections that cover one path, the outermost first.
pub(crate) type SectionIds = Rc<[SectionId]>;

/// A section that covers paths of a node.
#[derive(Clone, Copy)]
pub(crate) struct Covering {
    pub(crate) id: SectionId,
    /// Set if it covers every path of the node. Otherwise each path tells.
    pub(crate) is_always: bool,
}

impl Table {
    /// Puts the declared sections behind the prefix, and finds the nodes that each covers.
    pub(super) fn place_sections(&mut self) {
        for declared in &self.declared_sections {
            let pattern = self.prefixed(&declared.pattern);
            match Section::behind(&self.prefix.segments, pattern, declared) {
                Ok(section) => self.sections.push(section),
                Err((what, instead)) => self.section_problems.push(RouteProblem::BadSection {
                    section: declared.place(),
                    what,
                    instead,
                }),
            }
        }
        for (id, section) in self.sections.iter_mut().enumerate() {
            let mut covered = 0;
            for node in &mut self.nodes {
                let coverage = section.coverage(&node.segments);
                let is_always = coverage == Coverage::Always;
                covered += usize::from(is_always);
                if coverage > Coverage::Never {
                    node.sections.push(Covering { id, is_always });
                }
            }
            section.is_everywhere = covered == self.nodes.len();
            if covered == 0 {
                self.section_problems
                    .push(RouteProblem::EmptySection(section.declared.place()));
            }
        }
        let problems: Vec<_> = self
            .handlers
            .iter()
            .filter_map(|handler| self.shared_behind_a_guard(handler))
            .collect();
        self.section_problems.extend(problems);
    }

    /// Returns the problem of a handler that lets shared caches keep its responses, although a
    /// section decides who may read all of them.
    fn shared_behind_a_guard(&self, handler: &Handler) -> Option<RouteProblem> {
        if handler.descriptor.config.cdn != Some(Cdn::Yes) {
            return None;
        }
        let mut sections = self.node(handler.node).sections.iter();
        let guard = sections.find(|it| it.is_always && self.is_guard(it.id))?;
        Some(RouteProblem::SharedBehindSection {
            route: (&handler.descriptor).into(),
            section: self.sections[guard.id].declared.place(),
        })
    }

    /// Returns whether a section may decide who reads what it covers.
    fn is_guard(&self, id: SectionId) -> bool {
        !self.sections[id].declared.is_open
    }

    /// Returns the middleware that requests for a handler pass, the outermost first.
    pub(crate) fn middleware(&self, handler: &Handler) -> Vec<AppliedMiddleware> {
        let sections = self.node(handler.node).sections.iter();
        let sections = sections.map(|it| self.sections[it.id].applied(!it.is_always));
        let own = handler.descriptor.config.wrap.iter().map(Wrap::applied);
        sections.chain(own).collect()
    }

    /// Returns the open sections that cover every route.
    pub(crate) fn sections_everywhere(&self) -> impl Iterator<Item = AppliedMiddleware> {
        let sections = self.sections.iter().map(|section| section.applied(false));
        sections.filter(|it| it.is_everywhere)
    }

    /// Returns what is wrong with the sections.
    pub(crate) fn section_problems(&self) -> &[RouteProblem] {
        &self.section_problems
    }

    /// Returns whether a section may decide who reads responses of a node, all or some.
    pub(crate) fn is_guarded(&self, node: &Node) -> bool {
        node.sections.iter().any(|it| self.is_guard(it.id))
    }

    /// Returns whether one of these sections may decide who reads what they cover.
    pub(crate) fn has_guard(&self, sections: &[SectionId]) -> bool {
        sections.iter().any(|&id| self.is_guard(id))
    }

    /// Returns the sections that cover a path, which is canonical but for malformed segments.
    /// `node` is the node that the path matches, if it matches one.
    pub(crate) fn covering(&self, node: Option<&Node>, path: &str) -> SectionIds {
        match node {
            Some(node) => node
                .sections
                .iter()
                .filter(|it| it.is_always || self.sections[it.id].covers(path))
                .map(|it| it.id)
                .collect(),
            None => (0..self.sections.len())
                .filter(|&id| self.sections[id].covers(path))
                .collect(),
        }
    }

    /// Returns the sections that may decide who reads what they cover, and under whose pattern there
    /// are paths that no single route answers.
    pub(crate) fn guards_with_gaps(&self) -> impl Iterator<Item = SectionPlace> {
        let has_gap = |section: &&Section| {
            let mut nodes = self.nodes.iter();
            !section.declared.is_open && !nodes.any(|node| section.is_within(&node.segments))
        };
        let sections = self.sections.iter().filter(has_gap);
        sections.map(|section| section.declared.place())
    }
}
