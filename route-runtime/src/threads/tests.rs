//! The threads as their callers see them, and a simulation of the roster in which time is a number
//! of ticks.

use std::cell::Cell;
use std::collections::BTreeMap;
use std::sync::mpsc;

use tokio::sync::Semaphore;

use super::roster::{JobId, NextStep, Pulse};
use super::*;

#[derive(Clone, Default)]
struct Fake {
    moves: Rc<Cell<u64>>,
    polled: Rc<Cell<Option<JobId>>>,
    is_starved: Rc<Cell<bool>>,
}

impl Pulse for Fake {
    fn beat(&self) -> (u64, Option<JobId>) {
        (self.moves.get(), self.polled.get())
    }

    fn was_starved(&self) -> bool {
        self.is_starved.get()
    }

    // Every thread of the simulation looks for a job in each tick in which it can.
    fn wake(&self) {}
}

/// The way in which a job of the simulation runs.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Does {
    /// Keeps its thread for good.
    Blocks,
    /// Keeps its thread for this many ticks, and is done.
    Computes(u32),
    /// Waits for this many ticks, gives its thread back meanwhile, and is done.
    Waits(u32),
}

#[derive(Clone)]
struct Piece {
    owner: Owner,
    does: Does,
    is_wanted: Rc<Cell<bool>>,
    /// The number of times that it may be begun anew.
    left: Rc<Cell<u32>>,
    runs: Rc<Cell<u32>>,
    /// The tick in which the job was done.
    done: Rc<Cell<Option<u32>>>,
}

impl Task for Piece {
    fn owner(&self) -> Owner {
        self.owner
    }

    fn is_wanted(&self) -> bool {
        self.is_wanted.get()
    }

    fn begin_anew(&self) -> bool {
        let left = self.left.get();
        self.left.set(left.saturating_sub(1));
        self.is_wanted.get() && left > 0
    }
}

/// A roster with simulated threads.
struct Sim {
    roster: Roster<Piece, Fake>,
    threads: BTreeMap<ThreadId, SimThread>,
    named: Vec<Owner>,
    /// The thread that has begun a job last.
    last: Option<ThreadId>,
    now: u32,
}

#[derive(Default)]
struct SimThread {
    pulse: Fake,
    /// The job that keeps the thread, until this tick if it ends at all.
    kept: Option<(JobId, Piece, Option<u32>)>,
    waiting: Vec<(JobId, Piece, u32)>,
}

impl Sim {
    fn new(cores: usize) -> Self {
        let mut sim = Self {
            roster: Roster::new(cores, cores),
            threads: BTreeMap::new(),
            named: Vec::new(),
            last: None,
            now: 0,
        };
        (0..cores).for_each(|_| sim.start(None));
        sim
    }

    fn start(&mut self, own: Option<Owner>) {
        let thread = SimThread::default();
        let id = self.roster.add_thread(own, thread.pulse.clone());
        self.threads.insert(id, thread);
    }

    fn add(&mut self, owner: &'static str, does: Does) -> Piece {
        let piece = Piece {
            owner: Owner(owner),
            does,
            is_wanted: Rc::new(Cell::new(true)),
            left: Rc::new(Cell::new(3)),
            runs: Rc::default(),
            done: Rc::default(),
        };
        self.roster.add(piece.clone()).ok();
        piece
    }

    fn add_many(&mut self, count: usize, owner: &'static str, does: Does) -> Vec<Piece> {
        (0..count).map(|_| self.add(owner, does)).collect()
    }

    /// Lets each thread do what it can within a tick.
    fn work(&mut self) {
        let ids: Vec<_> = self.threads.keys().copied().collect();
        // In turns, as threads that run at once do.
        let mut active: Vec<_> = ids;
        while !active.is_empty() {
            active.retain(|id| self.step(*id));
        }
    }

    /// Lets a thread do one thing. Returns whether it has more to do within this tick.
    fn step(&mut self, id: ThreadId) -> bool {
        let now = self.now;
        let Some(thread) = self.threads.get_mut(&id) else {
            return false;
        };
        if let Some((number, piece, until)) = thread.kept.take() {
            if until.is_none_or(|until| now < until) {
                thread.kept = Some((number, piece, until));
                return false;
            }
            thread.pulse.polled.set(None);
            piece.is_wanted.set(false);
            piece.done.set(Some(now));
            drop(self.roster.hand_over(id, number));
            self.roster.finish(id, number);
            self.roster.polled_once(piece.owner);
        }
        thread.pulse.moves.set(thread.pulse.moves.get() + 1);
        thread.waiting.retain(|(number, piece, until)| {
            let is_over = now >= *until || !piece.is_wanted.get();
            if is_over {
                piece.is_wanted.set(false);
                if piece.done.get().is_none() {
                    piece.done.set(Some(now));
                }
                drop(self.roster.hand_over(id, *number));
                self.roster.finish(id, *number);
            }
            !is_over
        });
        match self.roster.take(id, &mut Vec::new()) {
            NextStep::Run(number, piece) => {
                self.last = Some(id);
                piece.runs.set(piece.runs.get() + 1);
                match piece.does {
                    Does::Waits(ticks) => {
                        self.roster.polled_once(piece.owner);
                        thread.waiting.push((number, piece, now + ticks));
                    }
                    Does::Computes(ticks) => {
                        thread.pulse.polled.set(Some(number));
                        thread.kept = Some((number, piece, Some(now + ticks)));
                    }
                    Does::Blocks => {
                        thread.pulse.polled.set(Some(number));
                        thread.kept = Some((number, piece, None));
                    }
                }
                true
            }
            NextStep::Wait => false,
            NextStep::End => {
                self.threads.remove(&id);
                drop(self.roster.remove_thread(id));
                false
            }
        }
    }

    fn tick(&mut self) {
        self.work();
        self.now += 1;
        let then = self.roster.tick(&mut Vec::new());
        self.named.extend(then.named);
        (0..then.for_all).for_each(|_| self.start(None));
        then.own.into_iter().for_each(|own| self.start(Some(own)));
    }

    fn ticks(&mut self, count: u32) {
        (0..count).for_each(|_| self.tick());
    }

    /// Lets something that no job is keep the thread that has begun a job last.
    fn keep_last(&mut self) {
        let last = self.last.and_then(|id| self.threads.get_mut(&id));
        if let Some(thread) = last.filter(|thread| thread.kept.is_none()) {
            let nothing = Piece {
                owner: Owner("nobody"),
                does: Does::Blocks,
                is_wanted: Rc::default(),
                left: Rc::default(),
                runs: Rc::default(),
                done: Rc::default(),
            };
            thread.kept = Some((JobId(u64::MAX), nothing, None));
        }
    }

    fn release(&mut self) {
        for thread in self.threads.values_mut() {
            if let Some((_, _, until @ None)) = &mut thread.kept {
                *until = Some(self.now);
            }
        }
    }
}

fn latest(pieces: &[Piece]) -> u32 {
    let done = pieces.iter().map(|piece| piece.done.get());
    done.max().flatten().expect("all are done")
}

fn all_done(pieces: &[Piece]) -> bool {
    pieces.iter().all(|piece| piece.done.get().is_some())
}

#[test]
fn three_handlers_that_block_forty_times_hold_up_others_for_less_than_ten_ticks() {
    for cores in [1, 2, 8] {
        let mut sim = Sim::new(cores);
        for owner in ["a", "b", "c"] {
            sim.add_many(40, owner, Does::Blocks);
        }
        let innocent = [sim.add("x", Does::Waits(1)), sim.add("y", Does::Waits(3))];
        sim.ticks(if cores == 1 { 25 } else { 10 });
        assert!(all_done(&innocent), "with {cores} cores");
        sim.ticks(100);
        assert_eq!(sim.named, [Owner("a"), Owner("b"), Owner("c")]);
        // From now on, nobody waits for those that block.
        let since = sim.now;
        for owner in ["a", "b", "c"] {
            sim.add_many(40, owner, Does::Blocks);
        }
        let innocent = sim.add_many(10, "x", Does::Waits(1));
        sim.ticks(2);
        assert_eq!(latest(&innocent), since + 1, "with {cores} cores");
    }
}

#[test]
fn forty_handlers_that_block_once_hold_up_others_for_less_than_three_seconds() {
    const NAMES: [&str; 40] = {
        let mut names = ["h"; 40];
        let digits = "0123456789abcdefghijklmnopqrstuvwxyzABCD";
        let mut index = 0;
        while index < 40 {
            names[index] = digits.split_at(index).1;
            index += 1;
        }
        names
    };
    let mut sim = Sim::new(2);
    for owner in NAMES {
        sim.add(owner, Does::Blocks);
    }
    let innocent = sim.add("x", Does::Waits(1));
    sim.ticks(150);
    assert!(innocent.done.get().is_some());
    assert_eq!(sim.named.len(), 40);
    assert_eq!(sim.threads.len(), 42);
}

#[test]
fn what_others_had_begun_on_a_stuck_thread_is_begun_anew() {
    let mut sim = Sim::new(1);
    let waits = sim.add("x", Does::Waits(3));
    let ready = sim.add("y", Does::Waits(50));
    sim.work();
    sim.add("a", Does::Blocks);
    ready.left.set(0);
    sim.ticks(10);
    assert_eq!((waits.runs.get(), ready.runs.get()), (2, 1));
    assert!(waits.done.get().is_some());
    assert_eq!(sim.named, [Owner("a")]);
    // The other one goes on where it is, as soon as it can.
    sim.release();
    sim.ticks(60);
    assert_eq!((waits.runs.get(), ready.runs.get()), (2, 1));
    assert!(ready.done.get().is_some());
}

#[test]
fn handlers_that_block_one_after_another_do_not_keep_a_long_job_of_another() {
    const NAMES: [&str; 3] = ["a", "b", "c"];
    let mut sim = Sim::new(2);
    let long = sim.add_many(10, "x", Does::Waits(30));
    for owner in NAMES {
        sim.ticks(1);
        sim.add(owner, Does::Blocks);
        sim.ticks(14);
    }
    sim.ticks(60);
    assert!(all_done(&long));
    assert_eq!(sim.named.len(), NAMES.len());
}

#[test]
fn four_ticks_are_not_too_long_and_five_are() {
    for (ticks, named) in [(4, vec![]), (7, vec![Owner("a")])] {
        let mut sim = Sim::new(2);
        let long = sim.add("a", Does::Computes(ticks));
        sim.ticks(20);
        assert!(long.done.get().is_some());
        assert_eq!(sim.named, named);
    }
}

#[test]
fn a_thread_that_nothing_keeps_is_never_replaced() {
    let mut sim = Sim::new(2);
    sim.add_many(100, "a", Does::Waits(1000));
    sim.ticks(2000);
    assert_eq!(sim.threads.len(), 2);
    assert!(sim.named.is_empty());
}

#[test]
fn an_owner_has_at_most_as_many_threads_of_its_own_as_there_are_cores() {
    let mut sim = Sim::new(4);
    sim.add_many(200, "a", Does::Blocks);
    sim.ticks(200);
    assert_eq!(sim.threads.len(), 8);
    let innocent = sim.add_many(3, "x", Does::Waits(1));
    sim.ticks(2);
    assert!(all_done(&innocent));
}

#[test]
fn an_owner_that_has_had_nothing_to_do_for_a_minute_shares_the_threads_again() {
    let mut sim = Sim::new(2);
    sim.add("a", Does::Blocks);
    sim.ticks(10);
    assert_eq!((sim.threads.len(), sim.roster.is_idle()), (3, false));
    sim.release();
    let again = sim.add("a", Does::Waits(1));
    sim.ticks(2999);
    assert!(again.done.get().is_some());
    assert_eq!((sim.threads.len(), sim.roster.is_idle()), (3, false));
    sim.ticks(10);
    assert_eq!((sim.threads.len(), sim.roster.is_idle()), (2, true));
    // It is named again if it blocks again.
    sim.add("a", Does::Blocks);
    sim.ticks(10);
    assert_eq!(sim.named, [Owner("a"), Owner("a")]);
}

#[test]
fn jobs_that_nothing_waits_for_do_not_pile_up_behind_a_thread_that_is_stuck() {
    let mut sim = Sim::new(1);
    sim.add("a", Does::Blocks);
    sim.ticks(10);
    let given_up = sim.add_many(100, "a", Does::Waits(1));
    given_up.iter().for_each(|piece| piece.is_wanted.set(false));
    sim.tick();
    let kept = Rc::strong_count(&given_up[0].runs);
    assert_eq!(kept, 1, "only the test has it");
}

#[test]
fn jobs_are_given_back_if_no_thread_ever_gets_ready() {
    let mut sim = Sim::new(1);
    let waiting = sim.add("b", Does::Waits(1));
    let id = *sim.threads.keys().next().unwrap();
    assert_eq!(sim.roster.remove_thread(id).len(), 1);
    let late = sim.add("b", Does::Waits(1));
    assert_eq!(Rc::strong_count(&waiting.runs), 1);
    assert_eq!(Rc::strong_count(&late.runs), 1);
    sim.threads.clear();
    sim.ticks(100);
    assert!(sim.threads.is_empty(), "nothing shows that one could start");
}

#[test]
fn a_thread_that_dies_is_replaced_and_jobs_wait_for_the_next() {
    let mut sim = Sim::new(1);
    assert!(sim.add("a", Does::Waits(0)).done.get().is_none());
    sim.ticks(2);
    let id = *sim.threads.keys().next().unwrap();
    drop(sim.roster.remove_thread(id));
    sim.threads.clear();
    let waiting = sim.add("a", Does::Waits(0));
    sim.ticks(100);
    assert!(waiting.done.get().is_some());
    assert_eq!(sim.threads.len(), 1);
}

#[test]
fn a_thread_that_waits_for_a_processor_is_not_stuck() {
    let mut sim = Sim::new(2);
    sim.add("a", Does::Computes(50));
    sim.work();
    for thread in sim.threads.values() {
        thread.pulse.is_starved.set(true);
    }
    sim.ticks(60);
    assert!(sim.named.is_empty());
    assert_eq!(sim.threads.len(), 2);
}

#[test]
fn an_owner_that_leaves_blocking_tasks_behind_again_gets_threads_of_its_own() {
    let mut sim = Sim::new(1);
    for _ in 0..5 {
        sim.add("a", Does::Waits(0));
        sim.work();
        sim.keep_last();
        sim.ticks(60);
    }
    assert_eq!(sim.named, [Owner("a")]);
    assert!(sim.threads.len() <= 4, "{}", sim.threads.len());
    let innocent = sim.add("x", Does::Waits(1));
    sim.ticks(3);
    assert!(innocent.done.get().is_some());
}

#[test]
fn an_own_thread_that_a_task_left_behind_keeps_gets_another_beside_it() {
    let mut sim = Sim::new(2);
    sim.add("a", Does::Blocks);
    sim.ticks(10);
    sim.release();
    sim.add("a", Does::Waits(0));
    sim.ticks(3);
    sim.keep_last();
    let next = sim.add("a", Does::Waits(1));
    sim.ticks(40);
    assert!(next.done.get().is_some());
}

#[test]
fn a_thread_that_does_not_get_ready_is_given_up_once() {
    let mut roster = Roster::<Piece, Fake>::new(1, 2);
    let first = roster.add_thread(None, Fake::default());
    roster.take(first, &mut Vec::new());
    drop(roster.remove_thread(first));
    let mut started = 0;
    let mut unready = 0;
    for _ in 0..2000 {
        let then = roster.tick(&mut Vec::new());
        started += then.for_all;
        unready += then.unready;
        for _ in 0..then.for_all {
            roster.add_thread(None, Fake::default());
        }
    }
    assert_eq!((started, unready), (2, 2));
}

fn threads() -> Threads<()> {
    Threads::start("test-threads", || Box::pin(async { Some(()) }))
}

const A: Owner = Owner("a");
const B: Owner = Owner("b");

#[tokio::test]
async fn jobs_of_others_end_while_one_owner_blocks_as_many_threads_as_it_gets() {
    let threads = threads();
    let (release, blocked) = mpsc::channel::<()>();
    let blocked = Arc::new(Mutex::new(blocked));
    let block = (0..40).map(|_| {
        let blocked = Arc::clone(&blocked);
        threads.run(A, move |_, reply: Reply<()>| {
            let blocked = Arc::clone(&blocked);
            async move {
                // Blocks all that have the lock or wait for it, until the sender is dropped.
                let _ = blocked.lock().map(|it| it.recv());
                reply.send(());
            }
        })
    });
    let block = futures_util::future::join_all(block);
    let others = async {
        for number in 0..100 {
            let same = threads.run(B, move |_, reply| async move {
                tokio::task::yield_now().await;
                reply.send(number);
            });
            assert_eq!(same.await, Some(number));
        }
        drop(release);
    };
    let (blocked, ()) = futures_util::future::join(block, others).await;
    assert_eq!(blocked.len(), 40);
    assert!(blocked.iter().all(Option::is_some));
}

/// A value that is dropped in a way of its own.
struct Drops<F: FnMut()>(F);

impl<F: FnMut()> Drop for Drops<F> {
    fn drop(&mut self) {
        (self.0)();
    }
}

#[tokio::test]
async fn a_value_that_blocks_when_it_is_dropped_holds_up_no_other_owner() {
    let threads = threads();
    let (release, blocked) = mpsc::channel::<()>();
    let blocked = Arc::new(Mutex::new(blocked));
    for _ in 0..10 {
        let blocked = Arc::clone(&blocked);
        let value = Drops(move || {
            let _ = blocked.lock().map(|it| it.recv());
        });
        // One that runs to its end, and one that is given up before it begins.
        let run = threads.run(A, move |_, reply| {
            let _ = &value;
            async move {
                tokio::task::yield_now().await;
                reply.send(1);
            }
        });
        assert_eq!(run.await, Some(1));
        for number in 0..10 {
            let other = threads.run(B, move |_, reply| async move {
                reply.send(number);
            });
            assert_eq!(other.await, Some(number));
        }
        // Its owner has only a few threads, all of which are kept soon.
        if threads.0.roster().owner_is_confined(A) {
            break;
        }
    }
    drop(release);
}

#[tokio::test]
async fn a_panic_while_a_value_is_dropped_ends_no_thread() {
    let threads = threads();
    for number in 0..20 {
        let value = Drops(|| panic!("expected by a test"));
        let run = threads.run(A, move |_, reply| {
            let _ = &value;
            async move {
                reply.send(number);
            }
        });
        assert_eq!(run.await, Some(number));
    }
}

#[tokio::test]
async fn a_panic_ends_its_job_and_no_other() {
    let threads = threads();
    let panics = threads.run(A, |_, _: Reply<()>| async { panic!("expected by a test") });
    assert_eq!(panics.await, None);
    let fine = threads.run(A, |_, reply| async move {
        reply.send(1);
    });
    assert_eq!(fine.await, Some(1));
}

#[tokio::test]
async fn a_job_is_dropped_when_nothing_waits_for_it_any_more() {
    let threads = threads();
    let begun = Arc::new(Semaphore::new(0));
    let dropped = Arc::new(Semaphore::new(0));
    struct Signal(Arc<Semaphore>);
    impl Drop for Signal {
        fn drop(&mut self) {
            self.0.add_permits(1);
        }
    }
    let (begins, drops) = (Arc::clone(&begun), Arc::clone(&dropped));
    let job = threads.run(A, move |_, _: Reply<()>| {
        let signal = Signal(Arc::clone(&drops));
        begins.add_permits(1);
        async move {
            let _signal = signal;
            std::future::pending::<()>().await;
        }
    });
    tokio::select! {
        _ = job => panic!("it never ends"),
        _ = begun.acquire() => {}
    }
    let _ = dropped.acquire().await;
}

#[tokio::test]
async fn threads_that_cannot_get_ready_are_an_error_and_not_a_hang() {
    let threads = Threads::start("test-threads", || Box::pin(async { None::<()> }));
    let job = threads.run(A, |_, reply| async move {
        reply.send(());
    });
    assert_eq!(job.await, None);
}
