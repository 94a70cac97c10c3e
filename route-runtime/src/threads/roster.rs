//! The decisions about jobs and threads: who runs what next, and which thread is stuck.
//!
//! This module is synchronous, starts no thread and reads no clock. Its caller takes jobs for
//! threads, and calls [`Roster::tick`] at a steady pace. Jobs hold values of users, which may do
//! anything when they are dropped. So a job that is removed is handed to the caller, to be dropped
//! where that harms nobody.

use std::collections::{BTreeMap, BTreeSet, HashMap, VecDeque};

use crate::owner::Owner;

/// The number of ticks after which one poll of a job is too long.
const LONGEST_POLL: u32 = 5;

/// The number of ticks after which a thread is stuck that polls no job. A task that a job has left
/// behind keeps it.
const LONGEST_PAUSE: u32 = 25;

/// The number of ticks without work after which an owner loses its own threads.
const IDLE: u32 = 3000;

/// The number of ticks after which a thread that does not get ready is not counted on any more.
const LONGEST_START: u32 = 250;

/// The number of ticks before a thread is started in place of one that could not start.
const PAUSE: u32 = 50;

/// The number of jobs of one owner that may wait.
const LONGEST_QUEUE: usize = 10_000;

/// The number of threads that owners may have for themselves, in all, beyond the first of each.
const OWN: usize = 32;

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
    /// and it was not begun anew before.
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

/// The consequences of a tick for its caller.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Consequences {
    /// The number of threads to start for all owners.
    pub(super) for_all: usize,
    /// The owners for each of which another thread of its own is to be started.
    pub(super) own: Vec<Owner>,
    /// The owners that have a thread of their own since this tick, because they kept another.
    pub(super) named: Vec<Owner>,
    /// The number of threads that were kept by something unknown.
    pub(super) unnamed: usize,
    /// The number of threads that are not ready after a long time.
    pub(super) unready: usize,
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

    /// Looks at every thread. A thread is stuck if it has done nothing for several ticks: then others
    /// are to be started, and what it runs of others is to be begun anew. Adds the jobs to `unwanted`
    /// that nothing waits for any more.
    pub(super) fn tick(&mut self, unwanted: &mut Vec<J>) -> Consequences {
        let mut then = Consequences {
            for_all: 0,
            own: Vec::new(),
            named: Vec::new(),
            unnamed: 0,
            unready: 0,
        };
        if self.is_closed {
            return then;
        }
        self.pause = self.pause.saturating_sub(1);
        for (id, polled) in self.stuck_threads(&mut then) {
            self.replace(id, polled, &mut then);
        }
        let owners: BTreeSet<Owner> = self.owners.keys().copied().collect();
        for owner in owners {
            self.remove_unwanted(owner, unwanted);
            self.tend_own_threads(owner, &mut then);
        }
        if self.has_begun && self.pause == 0 {
            then.for_all = self.count.saturating_sub(self.counted_on());
        }
        // Whoever was woken for a job may have been kept since then.
        if !self.turns.is_empty() {
            self.wake(Role::ForAll);
        }
        then
    }

    /// Returns the number of threads for all that are ready, or may be soon. Threads that do not get
    /// ready are given up only as long as there are no more of them than there should be threads.
    fn counted_on(&self) -> usize {
        let is_late =
            |thread: &&ThreadRecord<J, P>| !thread.has_begun && thread.still >= LONGEST_START;
        let late = self.for_all().filter(is_late).count();
        self.for_all().count() - late.min(self.count)
    }

    /// Returns the threads that are stuck since this tick, each with the job that it polls. Wakes
    /// those that did nothing, to see whether they can.
    fn stuck_threads(&mut self, then: &mut Consequences) -> Vec<(ThreadId, Option<JobId>)> {
        let mut stuck = Vec::new();
        for (id, thread) in &mut self.threads {
            if !thread.has_begun {
                thread.still += 1;
                then.unready += usize::from(thread.still == LONGEST_START);
                continue;
            }
            let (moves, polled) = thread.pulse.beat();
            if thread.moves != moves {
                thread.moves = moves;
                thread.still = 0;
                continue;
            }
            thread.pulse.wake();
            // A thread that waits for a processor is not kept by anybody.
            if thread.pulse.was_starved() {
                continue;
            }
            thread.still += 1;
            let longest = match polled {
                Some(_) => LONGEST_POLL,
                None => LONGEST_PAUSE,
            };
            if thread.still >= longest && !thread.is_stuck {
                thread.is_stuck = true;
                stuck.push((*id, polled));
            }
        }
        stuck
    }

    fn replace(&mut self, id: ThreadId, polled: Option<JobId>, then: &mut Consequences) {
        let Some(thread) = self.threads.get_mut(&id) else {
            return;
        };
        let mut culprit = polled.and_then(|polled| {
            let mut running = thread.running.iter();
            let running = running.find(|running| running.number == polled)?;
            Some(running.owner)
        });
        if culprit.is_none() && thread.role == Role::ForAll {
            then.unnamed += 1;
            // A handler that leaves such tasks behind again and again is found out.
            if let Some(owner) = thread.last {
                let jobs = self.owners.entry(owner).or_default();
                jobs.suspicions += 1;
                culprit = (jobs.suspicions > 1).then_some(owner);
            }
        }
        let others = thread.running.iter().filter_map(|it| it.job.as_ref());
        let others: Vec<J> = others
            .filter(|job| Some(job.owner()) != culprit && job.begin_anew())
            .cloned()
            .collect();
        if thread.role == Role::ForAll {
            match culprit {
                Some(owner) => {
                    thread.role = Role::Own(owner);
                    let jobs = self.owners.entry(owner).or_default();
                    jobs.threads += 1;
                    if jobs.threads == 1 {
                        then.named.push(owner);
                        self.turns.retain(|it| *it != owner);
                    }
                }
                None => thread.role = Role::Leaves,
            }
        }
        for job in others {
            let owner = job.owner();
            let jobs = self.owners.entry(owner).or_default();
            jobs.waiting.push_front(job);
            self.await_turn(owner);
        }
    }

    /// Removes jobs whose result nothing waits for any more. A thread that is stuck takes none, and
    /// they would pile up.
    fn remove_unwanted(&mut self, owner: Owner, unwanted: &mut Vec<J>) {
        if let Some(jobs) = self.owners.get_mut(&owner) {
            if jobs.waiting.iter().any(|job| !job.is_wanted()) {
                let (wanted, rest) = jobs.waiting.drain(..).partition(J::is_wanted);
                jobs.waiting = wanted;
                unwanted.extend::<VecDeque<J>>(rest);
            }
            if jobs.waiting.is_empty() {
                self.turns.retain(|it| *it != owner);
            }
        }
    }

    /// Starts another thread for an owner whose own threads are all stuck, and gives up threads that
    /// have had nothing to do for long.
    fn tend_own_threads(&mut self, owner: Owner, then: &mut Consequences) {
        let all = self.threads.values();
        let taken = all.filter(|thread| matches!(thread.role, Role::Own(_)));
        let free = OWN.saturating_sub(taken.count());
        let Some(jobs) = self.owners.get_mut(&owner) else {
            return;
        };
        if jobs.threads == 0 {
            return;
        }
        let mut own = self
            .threads
            .values()
            .filter(|it| it.role == Role::Own(owner));
        let is_at_rest = jobs.waiting.is_empty() && own.clone().all(|it| it.running.is_empty());
        jobs.idle = if is_at_rest { jobs.idle + 1 } else { 0 };
        let may_have_more = self.pause == 0 && jobs.threads < free && jobs.threads < self.most;
        if !jobs.waiting.is_empty() && may_have_more && own.all(|it| it.is_stuck) {
            then.own.push(owner);
        }
        if jobs.idle >= IDLE {
            *jobs = OwnedJobs::default();
            for thread in self.threads.values_mut() {
                if thread.role == Role::Own(owner) {
                    thread.role = Role::Leaves;
                    thread.pulse.wake();
                }
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
