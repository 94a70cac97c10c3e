//! Work that a request leaves to be run after its response has been sent.
//!
//! While a handler runs, and while a stream that it responded with is read, a task-local list
//! collects the registered work. The list then stays with the response's body, and dropping the
//! list starts the work. That covers every end: the last byte handed over, a connection gone, a
//! handler given up, a panic. The work runs on a thread of its own, because a worker's tasks end
//! with the worker, and the server's shutdown stops workers as soon as their connections are
//! closed.

use std::cell::RefCell;
use std::error::Error;
use std::mem;
use std::panic::AssertUnwindSafe;
use std::pin::Pin;
use std::sync::LazyLock;
use std::task::{Context as Waker, Poll};
use std::time::Duration;

use actix_web::body::{BodySize, BoxBody, MessageBody};
use actix_web::dev::ServiceResponse;
use actix_web::web::Bytes;
use futures_core::future::BoxFuture;
use futures_util::FutureExt as _;
use tokio::sync::watch;

use super::Context;
use super::streamed::map_streamed;
use crate::owner::Owner;
use crate::target;
use crate::threads::Threads;

tokio::task_local! {
    static PENDING: RefCell<Pending>;
}

/// The work of this process that is registered and not finished.
static UNFINISHED: LazyLock<UnfinishedWork> = LazyLock::new(UnfinishedWork::default);

/// The thread that runs the work, and any that take its place.
static THREAD: LazyLock<Threads<()>> = LazyLock::new(|| Threads::start_one("route-after"));

/// Runs `work` once the response has been sent: when the whole body was handed to the connection,
/// or the client is gone.
///
/// Call it in a handler or in anything that the handler calls: also in the middle of a stream that
/// the handler responds with, in the extractor of an argument, and several times. The work runs
/// once, whatever the handler's outcome: after an error, a redirect, a panic, a time limit, and for
/// HEAD. In a cached route it runs after the render, and so not for the requests that the cache
/// answers. A render that is begun anew, because another handler blocked its thread, leaves its work
/// twice.
///
/// The client does not wait for the work. A server that stops waits for its last requests, and then
/// for the work that is left, each for 30 s at most. A panic in the work is logged, and ends
/// nothing else.
///
/// In any other place (a separate task, start-up, other work, middleware) there is no response to
/// wait for, and the work runs at once.
///
/// All work runs on one thread with an actix runtime. Handlers take turns, and the work of each begins
/// in the order in which it was registered. A request stays with its worker, so take what the work
/// needs out of the request first. Long computations belong in
/// [`web::block`](actix_web::web::block); work that blocks its thread for longer than a moment holds
/// up what is under way on that thread, and later work of its own handler. The work can invalidate
/// routes, as the handler can.
///
/// # Example
///
/// ```
/// use actix_web::web::Data;
/// use actix_web::{App, test};
/// use route_runtime::{Routes, after, route};
/// use tokio::sync::mpsc::{UnboundedSender, unbounded_channel};
///
/// #[route(POST, "/orders/[id]")]
/// async fn order(id: u64, mails: Data<UnboundedSender<String>>) -> &'static str {
///     after(async move {
///         let sent = mails.send(format!("order {id} is on its way"));
///         assert!(sent.is_ok(), "somebody listens");
///     });
///     "thank you"
/// }
///
/// # #[actix_web::main]
/// # async fn main() -> Result<(), route_runtime::RoutesError> {
/// let (mails, mut sent) = unbounded_channel::<String>();
/// let routes = Routes::from_iter([order::ROUTE])?.data(mails);
/// let app = test::init_service(App::new().service(routes)).await;
/// let request = test::TestRequest::post().uri("/orders/7").to_request();
/// let response = test::call_service(&app, request).await;
/// assert!(sent.try_recv().is_err(), "the body has not been read yet");
/// assert_eq!(test::read_body(response).await, "thank you");
/// assert_eq!(sent.recv().await.as_deref(), Some("order 7 is on its way"));
/// # Ok(())
/// # }
/// ```
pub fn after(work: impl Future<Output = ()> + Send + 'static) {
    let mut work = Some(Work {
        future: work.boxed(),
        context: Context::current().map(Context::later),
        _counted: UNFINISHED.one_more(),
    });
    // Outside any response this closure is not called.
    _ = PENDING.try_with(|pending| pending.borrow_mut().0.extend(work.take()));
    if let Some(work) = work {
        work.start();
    }
}

/// Runs `work` at once, as work that belongs to no handler. A server that stops waits for it.
pub(super) fn run_counted(work: impl Future<Output = ()> + Send + 'static) {
    let work = Work {
        future: work.boxed(),
        context: None,
        _counted: UNFINISHED.one_more(),
    };
    work.start();
}

/// Waits for all registered work of this process, even if its response is still being sent. Gives
/// up at the limit; the work itself goes on.
pub(crate) async fn settled(limit: Duration) {
    if !UNFINISHED.settled(limit).await {
        tracing::warn!(target: target::HANDLER, "work after responses takes too long to be waited for");
    }
}

/// Collects the work that is registered while `answer` is made and while the body of its response
/// is read, and starts the work when that is over.
///
/// Must be put round everything that may drop the body unsent, such as the response to HEAD.
pub(crate) async fn when_sent<E>(
    answer: impl Future<Output = Result<ServiceResponse, E>>,
) -> Result<ServiceResponse, E> {
    let scoped = PENDING.scope(RefCell::default(), async {
        let response = answer.await;
        (response, PENDING.with(RefCell::take))
    });
    let (response, pending) = scoped.await;
    Ok(response?.map_body(|_, body| pending.stay_with(body)))
}

/// A registered future.
struct Work {
    future: BoxFuture<'static, ()>,
    /// The context of the code that registered the work.
    context: Option<Context>,
    /// Keeps the work counted until it is dropped, even if it never runs.
    _counted: CountedWork,
}

impl Work {
    fn start(self) {
        let owner = self.context.as_ref().map_or(Owner::NOBODY, |it| it.owner);
        if !THREAD.spawn(owner, Box::pin(self.run())) {
            tracing::error!(target: target::HANDLER, "work after a response was not run: there is no thread for it");
        }
    }

    async fn run(self) {
        let future = AssertUnwindSafe(self.future).catch_unwind();
        let result = match self.context {
            Some(context) => context.scope(future).await,
            None => future.await,
        };
        if let Err(panic) = result {
            let message = crate::panic::message(&*panic);
            tracing::error!(target: target::HANDLER, message, "work after a response panicked");
        }
    }
}

/// Work whose response has not been sent. Dropping it starts the work.
#[derive(Default)]
struct Pending(Vec<Work>);

impl Drop for Pending {
    fn drop(&mut self) {
        for work in self.0.drain(..) {
            work.start();
        }
    }
}

impl Pending {
    fn stay_with(self, body: BoxBody) -> BoxBody {
        let is_empty = self.0.is_empty();
        let hold = |body| {
            BoxBody::new(BodyWithWork {
                body,
                pending: self,
            })
        };
        // The code of a stream still runs, and may register more work.
        if is_empty {
            map_streamed(body, hold)
        } else {
            hold(body)
        }
    }
}

/// A body, with the work that waits for its end.
struct BodyWithWork {
    body: BoxBody,
    pending: Pending,
}

impl MessageBody for BodyWithWork {
    type Error = Box<dyn Error>;

    fn size(&self) -> BodySize {
        self.body.size()
    }

    fn poll_next(
        mut self: Pin<&mut Self>,
        waker: &mut Waker<'_>,
    ) -> Poll<Option<Result<Bytes, Self::Error>>> {
        let pending = RefCell::new(mem::take(&mut self.pending));
        let (chunk, pending) = PENDING.sync_scope(pending, || {
            let chunk = Pin::new(&mut self.body).poll_next(waker);
            (chunk, PENDING.with(RefCell::take))
        });
        match chunk {
            Poll::Ready(None) => drop(pending),
            _ => self.pending = pending,
        }
        chunk
    }
}

/// The number of futures that are registered and not finished.
struct UnfinishedWork(watch::Sender<usize>);

impl Default for UnfinishedWork {
    fn default() -> Self {
        Self(watch::Sender::new(0))
    }
}

impl UnfinishedWork {
    fn one_more(&self) -> CountedWork {
        self.0.send_modify(|count| *count += 1);
        CountedWork(self.0.clone())
    }

    async fn settled(&self, limit: Duration) -> bool {
        let mut count = self.0.subscribe();
        let is_zero = count.wait_for(|count| *count == 0);
        tokio::time::timeout(limit, is_zero).await.is_ok()
    }
}

/// The proof that one future is unfinished, until this is dropped.
struct CountedWork(watch::Sender<usize>);

impl Drop for CountedWork {
    fn drop(&mut self) {
        self.0.send_modify(|count| *count -= 1);
    }
}

#[cfg(test)]
mod tests {
    use std::future::{pending, poll_fn};
    use std::sync::mpsc::channel;

    use actix_web::test::TestRequest;
    use actix_web::{HttpResponse, HttpResponseBuilder, rt};

    use super::*;

    /// Returns the response of a handler that registers `work`.
    async fn answered(
        work: impl Future<Output = ()> + Send + 'static,
        respond: impl FnOnce(&mut HttpResponseBuilder) -> HttpResponse,
    ) -> ServiceResponse {
        let answer = async {
            after(work);
            let response = respond(&mut HttpResponse::Ok());
            Ok::<_, ()>(TestRequest::default().to_srv_response(response))
        };
        when_sent(answer).await.unwrap()
    }

    #[actix_web::test]
    async fn waiting_ends_when_all_work_has_finished_or_at_the_limit() {
        let unfinished = UnfinishedWork::default();
        assert!(unfinished.settled(Duration::ZERO).await);
        let [first, second] = [unfinished.one_more(), unfinished.one_more()];
        drop(first);
        assert!(!unfinished.settled(Duration::ZERO).await);
        let mut settled = std::pin::pin!(unfinished.settled(Duration::MAX));
        assert!(settled.as_mut().now_or_never().is_none());
        drop(second);
        assert!(settled.await);
    }

    #[actix_web::test]
    async fn work_starts_at_the_end_of_the_body_before_the_body_is_dropped() {
        let (sender, receiver) = channel();
        let work = async move { sender.send(()).unwrap() };
        let response = answered(work, |response| response.body("text")).await;
        let mut body = response.into_body();
        assert_eq!(body.size(), BodySize::Sized(4));
        let mut next = async || {
            let chunk = poll_fn(|waker| Pin::new(&mut body).poll_next(waker)).await;
            chunk.map(Result::unwrap)
        };
        assert_eq!(next().await.as_deref(), Some(&b"text"[..]));
        assert_eq!(next().await, None);
        receiver.recv().unwrap();
        drop(body);
    }

    #[actix_web::test]
    async fn a_complete_body_is_wrapped_only_if_it_holds_work() {
        let text = TestRequest::default().to_srv_response(HttpResponse::Ok().body("text"));
        let text = when_sent(async { Ok::<_, ()>(text) }).await;
        let body = text.unwrap().into_body();
        assert_eq!(body.try_into_bytes().unwrap(), "text");
        let body = answered(async {}, |response| response.body("text"))
            .await
            .into_body();
        // Code that could take the bytes at once would start the work before they are sent.
        assert!(body.try_into_bytes().is_err());
    }

    #[test]
    fn work_runs_after_its_runtime_has_ended() {
        let (sender, receiver) = channel();
        rt::System::new().block_on(async {
            let work = async move { sender.send(()).unwrap() };
            let connection = async {
                let _response = answered(work, HttpResponseBuilder::finish).await;
                pending::<()>().await;
            };
            let connection = rt::spawn(connection);
            tokio::task::yield_now().await;
            assert!(!connection.is_finished());
            assert!(receiver.try_recv().is_err());
        });
        receiver.recv().unwrap();
    }
}
