//! The decisions about jobs and threads: who runs what next, and which thread is stuck.
//!
//! This module is synchronous, starts no thread and reads no clock. Its caller takes jobs for
//! threads, and calls [`Roster::tick`] at a steady pace. Jobs hold values of users, which may do
//! anything when they are dropped. So a job that is removed is handed to the caller, to be dropped
//! where that harms nobody.

mod watch;

use std::collections::{BTreeMap, HashMap, VecDeque};

pub(super) use self::watch::Consequences;
use crate::owner::Owner;

/// The number of ticks before a thread is started in place of one that could not start.
const PAUSE: u32 = 50;

/// The number of jobs of one owner that may wait.
const LONGEST_QUEUE: usize = 10_000;

/// The number of a thread. No number is used twice.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(super) struct ThreadId(u64);

/// The number of a job on a thread. No number is used twice, and none is 0.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct JobId(pub(super) u64);

/// The signs of life of a thread.
pub(super) trait Pulse {
    /// Returns a number that changes whenever the thread does something, and the job that the
    /// thread polls.
    fn beat(&self) -> (u64, Option<JobId>);

    /// Returns whether the thread has waited for a processor for most of the time since the last
    /// call.
    fn was_starved(&self) -> bool;

    /// Makes the thread look for a job, as soon as it can.
    fn wake(&self);
}

/// A job, which may be begun more than once.
pub(super) trait Task: Clone {
    fn owner(&self) -> Owner;

    /// Returns whether anything still waits for the job's result.
    fn is_wanted(&self) -> bool;

    /// Returns whether the job is to be begun once more elsewhere: nothing of its result was sent,
    /// and it was not begun anew too often before.
    fn begin_anew(&self) -> bool;
}

/// The jobs that wait, and the threads with what they run.
pub(super) struct Roster<J, P> {
    /// The number of threads for all owners.
    count: usize,
    /// The number of threads that one owner may have for itself.
    most: usize,
    owners: HashMap<Owner, OwnedJobs<J>>,
    /// The owners whose jobs wait for a thread that is for all, in the order of their turns.
    turns: VecDeque<Owner>,
    threads: BTreeMap<ThreadId, ThreadRecord<J, P>>,
    /// A thread has got ready once, so another one may.
    has_begun: bool,
    /// The ticks before another thread is started.
    pause: u32,
    is_closed: bool,
    next: u64,
}

/// The jobs of an owner that wait, and what is known of its jobs.
struct OwnedJobs<J> {
    waiting: VecDeque<J>,
    /// The number of threads that run jobs of this owner only. While there are any, no other thread
    /// takes one.
    threads: usize,
    /// A job of this owner has been polled and gave its thread back.
    is_proven: bool,
    /// A job of this owner, which is not proven, is being polled for the first time.
    is_tried: bool,
    /// The number of threads that were kept by something unknown after they had taken a job of this
    /// owner.
    suspicions: u32,
    /// The ticks for which there was nothing to do for this owner's own threads.
    idle: u32,
}

impl<J> Default for OwnedJobs<J> {
    fn default() -> Self {
        Self {
            waiting: VecDeque::new(),
            threads: 0,
            is_proven: false,
            is_tried: false,
            suspicions: 0,
            idle: 0,
        }
    }
}

/// A thread, as the roster knows it.
struct ThreadRecord<J, P> {
    role: Role,
    pulse: P,
    /// The thread has looked for a job once. It has got ready until then.
    has_begun: bool,
    is_stuck: bool,
    /// The moves at the last tick, and for how many ticks there were none.
    moves: u64,
    still: u32,
    running: Vec<RunningJob<J>>,
    /// The owner of the last job that the thread took.
    last: Option<Owner>,
}

/// A job that a thread has begun.
struct RunningJob<J> {
    number: JobId,
    owner: Owner,
    /// `None` once the job is over, and only has to be dropped.
    job: Option<J>,
}

/// The jobs that a thread takes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Role {
    /// Jobs of all owners that have no thread of their own.
    ForAll,
    /// Jobs of this owner.
    Own(Owner),
    /// No job any more. The thread ends with what it runs.
    Leaves,
}

/// The next step of a thread that looks for a job.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum NextStep<J> {
    Run(JobId, J),
    Wait,
    End,
}

impl<J: Task, P: Pulse> Roster<J, P> {
    pub(super) fn new(count: usize, most: usize) -> Self {
        Self {
            count,
            most,
            has_begun: false,
            pause: 0,
            owners: HashMap::new(),
            turns: VecDeque::new(),
            threads: BTreeMap::new(),
            is_closed: false,
            next: 0,
        }
    }

    /// Adds a thread for the jobs of all owners, or for those of one.
    pub(super) fn add_thread(&mut self, own: Option<Owner>, pulse: P) -> ThreadId {
        self.next += 1;
        let id = ThreadId(self.next);
        if let Some(owner) = own {
            self.owners.entry(owner).or_default().threads += 1;
        }
        let record = ThreadRecord {
            role: own.map_or(Role::ForAll, Role::Own),
            moves: pulse.beat().0,
            pulse,
            has_begun: false,
            is_stuck: false,
            still: 0,
            running: Vec::new(),
            last: None,
        };
        self.threads.insert(id, record);
        id
    }

    /// Removes a thread that has ended, and returns the jobs that it ran. Another is started in its
    /// place after a pause. If no thread has ever got ready, and none is left that may, returns all
    /// jobs that wait, too.
    pub(super) fn remove_thread(&mut self, id: ThreadId) -> Vec<J> {
        let Some(gone) = self.threads.remove(&id) else {
            return Vec::new();
        };
        match gone.role {
            Role::Own(owner) => self.lose_own_thread(owner),
            Role::ForAll => self.pause = PAUSE,
            Role::Leaves => {}
        }
        let mut removed = Vec::new();
        for running in gone.running {
            self.polled_once(running.owner);
            removed.extend(running.job);
        }
        if !self.may_run() {
            removed.extend(self.remove_waiting());
        }
        removed
    }

    /// Adds a job. Gives it back if no thread could run it, or if too many of its owner wait.
    pub(super) fn add(&mut self, job: J) -> Result<(), J> {
        if self.is_closed || !self.may_run() {
            return Err(job);
        }
        let owner = job.owner();
        let waiting = &mut self.owners.entry(owner).or_default().waiting;
        if waiting.len() >= LONGEST_QUEUE {
            return Err(job);
        }
        waiting.push_back(job);
        self.await_turn(owner);
        Ok(())
    }

    /// Gives every thread nothing more to do. Returns the jobs that wait.
    pub(super) fn close(&mut self) -> Vec<J> {
        self.is_closed = true;
        self.threads.values().for_each(|thread| thread.pulse.wake());
        self.remove_waiting()
    }

    fn remove_waiting(&mut self) -> Vec<J> {
        self.turns.clear();
        let all = self.owners.values_mut();
        all.flat_map(|jobs| jobs.waiting.drain(..)).collect()
    }

    /// Returns whether a job may be run at some time.
    fn may_run(&self) -> bool {
        self.has_begun || self.for_all().count() > 0
    }

    fn for_all(&self) -> impl Iterator<Item = &ThreadRecord<J, P>> {
        let threads = self.threads.values();
        threads.filter(|thread| thread.role == Role::ForAll)
    }

    pub(super) fn is_closed(&self) -> bool {
        self.is_closed
    }

    #[cfg(test)]
    pub(super) fn owner_is_confined(&self, owner: Owner) -> bool {
        self.owners.get(&owner).is_some_and(|jobs| jobs.threads > 0)
    }

    /// Returns whether there is nothing to watch.
    pub(super) fn is_idle(&self) -> bool {
        let is_idle = |thread: &ThreadRecord<J, P>| {
            thread.running.is_empty() && thread.role == Role::ForAll && !thread.is_stuck
        };
        let is_complete = !self.has_begun || self.for_all().count() >= self.count;
        is_complete && self.turns.is_empty() && self.threads.values().all(is_idle)
    }

    /// Takes the next job for a thread. Adds those to `unwanted` that nothing waits for any more.
    pub(super) fn take(&mut self, id: ThreadId, unwanted: &mut Vec<J>) -> NextStep<J> {
        let Some(thread) = self.threads.get_mut(&id) else {
            return NextStep::End;
        };
        thread.has_begun = true;
        self.has_begun = true;
        thread.is_stuck = false;
        if self.is_closed {
            return NextStep::End;
        }
        let job = match thread.role {
            Role::Leaves if thread.running.is_empty() => return NextStep::End,
            Role::Leaves => None,
            Role::Own(owner) => self.take_of(owner, unwanted),
            Role::ForAll => self.take_in_turn(unwanted),
        };
        let Some(job) = job else {
            return NextStep::Wait;
        };
        self.next += 1;
        let number = JobId(self.next);
        if let Some(thread) = self.threads.get_mut(&id) {
            thread.last = Some(job.owner());
            thread.running.push(RunningJob {
                number,
                owner: job.owner(),
                job: Some(job.clone()),
            });
        }
        NextStep::Run(number, job)
    }

    fn take_in_turn(&mut self, unwanted: &mut Vec<J>) -> Option<J> {
        loop {
            let may = |owner: &Owner| {
                let jobs = self.owners.get(owner);
                jobs.is_some_and(|jobs| jobs.is_proven || !jobs.is_tried)
            };
            let turn = self.turns.iter().position(may)?;
            let owner = self.turns.remove(turn)?;
            let job = self.take_of(owner, unwanted);
            self.await_turn(owner);
            if job.is_some() {
                return job;
            }
        }
    }

    fn take_of(&mut self, owner: Owner, unwanted: &mut Vec<J>) -> Option<J> {
        let jobs = self.owners.get_mut(&owner)?;
        while let Some(job) = jobs.waiting.pop_front() {
            if job.is_wanted() {
                jobs.is_tried |= !jobs.is_proven;
                return Some(job);
            }
            unwanted.push(job);
        }
        None
    }

    /// Puts an owner at the end of those that take turns, if it has a job that waits for a thread
    /// for all. Wakes a thread for the job.
    fn await_turn(&mut self, owner: Owner) {
        let Some(jobs) = self.owners.get(&owner) else {
            return;
        };
        if jobs.waiting.is_empty() {
            return;
        }
        if jobs.threads > 0 {
            self.wake(Role::Own(owner));
            return;
        }
        if !self.turns.contains(&owner) {
            self.turns.push_back(owner);
        }
        self.wake_one_for_all();
    }

    /// Wakes the thread for all that runs the fewest jobs, or each of them if each polls a job.
    fn wake_one_for_all(&self) {
        let threads = self.threads.values();
        let free = threads.filter(|thread| {
            let is_ready = thread.role == Role::ForAll && thread.has_begun;
            is_ready && !thread.is_stuck && thread.pulse.beat().1.is_none()
        });
        match free.min_by_key(|thread| thread.running.len()) {
            Some(thread) => thread.pulse.wake(),
            None => self.wake(Role::ForAll),
        }
    }

    fn wake(&self, role: Role) {
        let threads = self.threads.values();
        let all = threads.filter(|thread| thread.role == role);
        all.for_each(|thread| thread.pulse.wake());
    }

    /// Records that the first poll of a job has ended, and so that its owner can give a thread back.
    pub(super) fn polled_once(&mut self, owner: Owner) {
        let Some(jobs) = self.owners.get_mut(&owner) else {
            return;
        };
        jobs.is_tried = false;
        if !jobs.is_proven && jobs.threads == 0 {
            jobs.is_proven = true;
            if !jobs.waiting.is_empty() {
                self.wake(Role::ForAll);
            }
        }
    }

    /// Returns a job that is over, for its thread to drop it. Until then the thread runs its code.
    pub(super) fn hand_over(&mut self, id: ThreadId, number: JobId) -> Option<J> {
        let mut running = self.threads.get_mut(&id)?.running.iter_mut();
        running.find(|running| running.number == number)?.job.take()
    }

    /// Records that a thread is done with a job that was [handed over](Self::hand_over).
    pub(super) fn finish(&mut self, id: ThreadId, number: JobId) {
        if let Some(thread) = self.threads.get_mut(&id) {
            thread.running.retain(|running| running.number != number);
            if thread.role == Role::Leaves {
                thread.pulse.wake();
            }
        }
    }

    fn lose_own_thread(&mut self, owner: Owner) {
        self.pause = PAUSE;
        if let Some(jobs) = self.owners.get_mut(&owner) {
            jobs.threads = jobs.threads.saturating_sub(1);
            if jobs.threads == 0 {
                jobs.is_proven = false;
                jobs.is_tried = false;
            }
            self.await_turn(owner);
        }
    }
}
