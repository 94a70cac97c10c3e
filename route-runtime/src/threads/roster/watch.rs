//! The look at all threads: which one is stuck, and what follows from that.

use std::collections::{BTreeSet, VecDeque};

use super::{JobId, OwnedJobs, Pulse, Role, Roster, Task, ThreadId, ThreadRecord};
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

/// The number of threads that owners may have for themselves, in all, beyond the first of each.
const OWN: usize = 32;

/// The consequences of a tick for its caller.
#[derive(Debug, PartialEq, Eq)]
pub(in crate::threads) struct Consequences {
    /// The number of threads to start for all owners.
    pub(in crate::threads) for_all: usize,
    /// The owners for each of which another thread of its own is to be started.
    pub(in crate::threads) own: Vec<Owner>,
    /// The owners that have a thread of their own since this tick, because they kept another.
    pub(in crate::threads) named: Vec<Owner>,
    /// The number of threads that were kept by something unknown.
    pub(in crate::threads) unnamed: usize,
    /// The number of threads that are not ready after a long time.
    pub(in crate::threads) unready: usize,
}

impl<J: Task, P: Pulse> Roster<J, P> {
    /// Looks at every thread. A thread is stuck if it has done nothing for several ticks: then others
    /// are to be started, and what it runs of others is to be begun anew. Adds the jobs to `unwanted`
    /// that nothing waits for any more.
    pub(in crate::threads) fn tick(&mut self, unwanted: &mut Vec<J>) -> Consequences {
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
        let owners = &self.owners;
        let has_waiting =
            |owner: &Owner| owners.get(owner).is_some_and(|it| !it.waiting.is_empty());
        let mut stuck = Vec::new();
        for (id, thread) in &mut self.threads {
            if !thread.has_begun {
                thread.still += 1;
                then.unready += usize::from(thread.still == LONGEST_START);
                continue;
            }
            let (moves, polled) = thread.pulse.beat();
            // Threads of one owner that have nothing to do are left alone.
            let is_at_rest = thread.running.is_empty()
                && match &thread.role {
                    Role::ForAll => false,
                    Role::Own(owner) => !has_waiting(owner),
                    Role::Leaves => true,
                };
            if thread.moves != moves || is_at_rest {
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
}
