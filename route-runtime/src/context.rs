//! What the current request or render is part of: a task-local, which survives `.await` and
//! `join!` but not `spawn`.

use std::cell::RefCell;
use std::rc::Rc;
use std::sync::{Arc, OnceLock, Weak};
use std::time::Duration;

use crate::cache::{Ancestry, Key};
use crate::responses::ResponseCache;
use crate::routes::Table;
use crate::store::Tag;

tokio::task_local! {
    static CONTEXT: Context;
}

/// The cache of the routes that some code belongs to, as long as they are served.
pub(crate) type WeakCache = Weak<OnceLock<ResponseCache>>;

/// Where a piece of code runs.
#[derive(Clone)]
pub(crate) struct Context {
    /// Whose paths are invalidated from here.
    pub(crate) table: Arc<Table>,
    pub(crate) cache: WeakCache,
    /// The render this is part of, if it is one.
    pub(crate) render: Option<Rc<Render>>,
}

/// A render, and what it used so far.
pub(crate) struct Render {
    /// What its response is known to depend on, before it is rendered.
    pub(crate) declared: Arc<[Tag]>,
    #[expect(dead_code, reason = "for data that a render waits for")]
    pub(crate) ancestry: Option<Ancestry<Key>>,
    used: RefCell<Used>,
}

/// What a render used beyond what its declaration tells.
#[derive(Clone, Debug, Default)]
pub(crate) struct Used {
    pub(crate) tags: Vec<Tag>,
    /// The shortest lifetime.
    pub(crate) revalidate: Option<Duration>,
}

impl Context {
    pub(crate) async fn scope<F: Future>(self, future: F) -> F::Output {
        CONTEXT.scope(self, future).await
    }

    /// What of it work after the response may use.
    pub(crate) fn later(self) -> Later {
        Later {
            table: self.table,
            cache: self.cache,
            declared: self.render.map(|render| Arc::clone(&render.declared)),
        }
    }

    /// The current one. `None` outside of a handler.
    pub(crate) fn current() -> Option<Self> {
        CONTEXT.try_with(Self::clone).ok()
    }
}

/// What outlives a response of its context: whose routes these are, and what its render was not to
/// throw away.
pub(crate) struct Later {
    table: Arc<Table>,
    cache: WeakCache,
    declared: Option<Arc<[Tag]>>,
}

impl Later {
    /// The context again, on any thread.
    pub(crate) async fn scope<F: Future>(self, future: F) -> F::Output {
        let Self {
            table,
            cache,
            declared,
        } = self;
        let render = declared.map(|declared| Rc::new(Render::new(declared, None)));
        let context = Context {
            table,
            cache,
            render,
        };
        context.scope(future).await
    }
}

impl Render {
    pub(crate) fn new(declared: Arc<[Tag]>, ancestry: Option<Ancestry<Key>>) -> Self {
        Self {
            declared,
            ancestry,
            used: RefCell::default(),
        }
    }

    pub(crate) fn tag(&self, tag: Tag) {
        self.used.borrow_mut().tags.push(tag);
    }

    pub(crate) fn revalidate_after(&self, after: Duration) {
        let mut used = self.used.borrow_mut();
        used.revalidate = Some(
            used.revalidate
                .map_or(after, |shortest| shortest.min(after)),
        );
    }

    pub(crate) fn used(&self) -> Used {
        self.used.borrow().clone()
    }
}
