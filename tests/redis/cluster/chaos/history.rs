//! The history of a test: all that clients saw, all that was done to instances and their store, and
//! whether the promise was kept.

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::sync::Arc;
use std::time::{Duration, Instant};

use super::super::BOUND;

/// A response to a `GET`.
#[derive(Clone, Debug)]
pub(super) struct Answer {
    /// The number of the process that answered.
    pub(super) process: usize,
    pub(super) path: Arc<str>,
    /// The tag of what was requested, if anything invalidates it.
    pub(super) tag: Option<&'static str>,
    pub(super) begun: Instant,
    pub(super) ended: Instant,
    pub(super) cache_status: Arc<str>,
    /// The version of the truth that the content was rendered from.
    pub(super) truth: u32,
}

impl Answer {
    fn is_unverified(&self) -> bool {
        self.cache_status.contains("unverified")
    }

    /// Returns whether the process says that it knew all invalidations from before the bound.
    fn is_verified_hit(&self) -> bool {
        self.cache_status.starts_with("route; hit") && !self.is_unverified()
    }
}

/// An attempt to invalidate a tag, after the truth was changed to this version.
#[derive(Clone, Debug)]
pub(super) struct Change {
    pub(super) instance: usize,
    pub(super) process: usize,
    pub(super) tag: &'static str,
    pub(super) truth: u32,
    pub(super) begun: Instant,
    pub(super) ended: Instant,
    pub(super) outcome: Outcome,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Outcome {
    /// The invalidation is acknowledged: the answer is 200.
    Done,
    /// The answer is an error. Nobody knows whether the invalidation is recorded.
    Refused(String),
    /// The connection ended without an answer.
    Gone(String),
}

/// A `GET` that was not answered with 200.
#[derive(Clone, Debug)]
pub(super) struct Failure {
    pub(super) process: usize,
    pub(super) path: Arc<str>,
    pub(super) begun: Instant,
    pub(super) ended: Instant,
    pub(super) why: String,
    /// Set if the connection ended, and nothing was answered.
    pub(super) is_gone: bool,
}

/// A time in which the store lost invalidations.
#[derive(Clone, Copy, Debug)]
pub(super) struct Loss {
    pub(super) of: Lost,
    /// The moment before which the store had lost nothing.
    pub(super) begun: Instant,
    /// The moment after which it lost nothing more, and could be asked.
    pub(super) ended: Instant,
}

/// The invalidations that the store may have lost, among those that began before the loss ended.
#[derive(Clone, Copy, Debug)]
pub(super) enum Lost {
    All,
    /// The invalidations that were acknowledged after this moment.
    Since(Instant),
    /// The invalidation that was recorded last.
    Last,
}

/// A time in which these instances may not have been able to record an invalidation.
#[derive(Clone, Debug)]
pub(super) struct Trouble {
    pub(super) instances: Vec<usize>,
    pub(super) begun: Instant,
    /// The moment at which the cause was removed.
    pub(super) mended: Instant,
    /// The time after which the instances have to be well again.
    pub(super) grace: Duration,
}

#[derive(Debug)]
pub(super) struct History {
    /// The moment from which messages count.
    zero: Instant,
    pub(super) answers: Vec<Answer>,
    pub(super) changes: Vec<Change>,
    pub(super) failures: Vec<Failure>,
    pub(super) losses: Vec<Loss>,
    pub(super) troubles: Vec<Trouble>,
    /// The processes that were killed, each with a moment before that.
    pub(super) killed: HashMap<usize, Instant>,
    /// The times at which a process was stopped.
    pub(super) stopped: Vec<(Instant, Instant)>,
}

/// The result of a check.
#[derive(Debug, Default)]
pub(super) struct Report {
    pub(super) violations: Vec<String>,
    /// The number of answers that were older than an invalidation that the store had lost, before an
    /// instance that knew of it could have asked the store again.
    pub(super) excused: usize,
    /// The number of answers that were marked as unverified.
    pub(super) unverified: usize,
    pub(super) hits: usize,
    pub(super) slowest: Duration,
    /// The longest time from a loss to the first moment at which an instance that knew of it was
    /// certain to have asked again.
    pub(super) longest_contact: Duration,
}

/// An acknowledged invalidation, and the times in which the promise about it does not hold for
/// processes other than the one that acknowledged it.
struct Acknowledged<'a> {
    change: &'a Change,
    /// The highest truth of this one and of those that were acknowledged before it.
    highest: u32,
    suspended: Vec<Suspension>,
}

/// The time from a loss to when the promise holds again. That never happens if all that knew of the
/// invalidation were killed before they asked the store again.
struct Suspension {
    begun: Instant,
    ended: Option<Instant>,
}

impl Suspension {
    /// Returns whether a request ran, in part, before the promise held again and after the loss.
    fn excuses(&self, answer: &Answer) -> bool {
        answer.ended > self.begun && self.ended.is_none_or(|ended| answer.begun <= ended)
    }
}

/// The verified hits of a process, in the order in which they began. Each is the moment at which it
/// began, and the first moment at which it or a later one had ended.
#[derive(Default)]
struct Hits(Vec<(Instant, Instant)>);

impl Hits {
    fn sort(&mut self) {
        self.0.sort_unstable();
        let mut first = None;
        for (_, ended) in self.0.iter_mut().rev() {
            *ended = first.map_or(*ended, |first| (*ended).min(first));
            first = Some(*ended);
        }
    }

    /// Returns the first moment at which a hit had ended that began after this moment.
    fn first_after(&self, moment: Instant) -> Option<Instant> {
        let first = self.0.partition_point(|&(begun, _)| begun <= moment);
        self.0.get(first).map(|&(_, ended)| ended)
    }
}

impl History {
    pub(super) fn new(zero: Instant) -> Self {
        Self {
            zero,
            answers: Vec::new(),
            changes: Vec::new(),
            failures: Vec::new(),
            losses: Vec::new(),
            troubles: Vec::new(),
            killed: HashMap::new(),
            stopped: Vec::new(),
        }
    }

    /// Checks every answer against the promise, and every failure against what was done.
    pub(super) fn check(&self) -> Report {
        let mut report = Report::default();
        let mut acknowledged = self.acknowledged(&mut report);
        for changes in acknowledged.values_mut() {
            changes.sort_by_key(|it| it.change.ended);
            let mut highest = 0;
            for change in changes {
                highest = highest.max(change.change.truth);
                change.highest = highest;
            }
        }
        for answer in &self.answers {
            report.slowest = report.slowest.max(answer.ended - answer.begun);
            report.unverified += usize::from(answer.is_unverified());
            report.hits += usize::from(answer.is_verified_hit());
            let changes = answer.tag.and_then(|tag| acknowledged.get(tag));
            if let Some(changes) = changes {
                self.judge(answer, changes, &mut report);
            }
        }
        self.check_failures(&mut report);
        report
    }

    /// Returns the acknowledged invalidations of each tag.
    fn acknowledged(&self, report: &mut Report) -> HashMap<&'static str, Vec<Acknowledged<'_>>> {
        let hits = self.verified_hits();
        let mut losses: Vec<_> = self.losses.iter().collect();
        losses.sort_by_key(|loss| loss.begun);
        let mut acknowledged: HashMap<_, Vec<_>> = HashMap::new();
        for change in &self.changes {
            if change.outcome != Outcome::Done {
                continue;
            }
            let mut suspended: Vec<Suspension> = Vec::new();
            let mut witnesses = BTreeSet::from([change.process]);
            // The moment from which every process that is verified knows of the invalidation.
            let mut known_from = Some(change.ended + BOUND);
            for loss in &losses {
                if !self.may_lose(loss, change) {
                    continue;
                }
                witnesses.extend(hits.iter().filter_map(|(&process, hits)| {
                    let knew = hits.first_after(known_from?)?;
                    (knew < loss.begun).then_some(process)
                }));
                let asked_again = witnesses.iter().filter_map(|process| {
                    // A process is verified if it asked the store less than the bound ago.
                    hits.get(process)?.first_after(loss.ended + BOUND)
                });
                let contact = asked_again.min();
                if let Some(contact) = contact {
                    let took = contact - loss.ended;
                    report.longest_contact = report.longest_contact.max(took);
                }
                known_from = contact.map(|it| it + BOUND);
                suspended.push(Suspension {
                    begun: loss.begun,
                    ended: known_from,
                });
            }
            let changes = acknowledged.entry(change.tag).or_default();
            changes.push(Acknowledged {
                change,
                highest: change.truth,
                suspended,
            });
        }
        acknowledged
    }

    /// Returns the seconds from the beginning to a moment.
    pub(super) fn at(&self, moment: Instant) -> f64 {
        moment.saturating_duration_since(self.zero).as_secs_f64()
    }

    fn may_lose(&self, loss: &Loss, change: &Change) -> bool {
        let since = match loss.of {
            Lost::All => None,
            Lost::Since(moment) => Some(moment),
            // What was acknowledged before another one began was recorded before it, too.
            Lost::Last => {
                let changes = self.changes.iter();
                let recorded = changes
                    .filter(|it| it.outcome == Outcome::Done && it.ended < loss.begun)
                    .map(|it| it.begun);
                recorded.max()
            }
        };
        change.begun <= loss.ended && since.is_none_or(|since| change.ended >= since)
    }

    fn verified_hits(&self) -> BTreeMap<usize, Hits> {
        let mut hits: BTreeMap<usize, Hits> = BTreeMap::new();
        for answer in self.answers.iter().filter(|it| it.is_verified_hit()) {
            let of = hits.entry(answer.process).or_default();
            of.0.push((answer.begun, answer.ended));
        }
        hits.values_mut().for_each(Hits::sort);
        hits
    }

    /// Checks an answer against the acknowledged invalidations of its tag, which are in the order of
    /// their answers.
    fn judge(&self, answer: &Answer, changes: &[Acknowledged<'_>], report: &mut Report) {
        let earlier = changes.partition_point(|it| it.change.ended < answer.begun);
        let mut is_excused = false;
        for acknowledged in changes[..earlier].iter().rev() {
            if answer.truth >= acknowledged.highest {
                break;
            }
            let Acknowledged {
                change, suspended, ..
            } = acknowledged;
            if answer.truth >= change.truth {
                continue;
            }
            let is_own = answer.process == change.process;
            let is_old = answer.begun > change.ended + BOUND;
            if !is_own && (!is_old || answer.is_unverified()) {
                continue;
            }
            if !is_own && suspended.iter().any(|it| it.excuses(answer)) {
                is_excused = true;
                continue;
            }
            let (by, here) = (change.process, answer.process);
            report.violations.push(format!(
                "at {:.3} s, process {here} serves {} of the truth {} with `{}`, and at {:.3} s, \
                 process {by} had acknowledged {}",
                self.at(answer.begun),
                answer.path,
                answer.truth,
                answer.cache_status,
                self.at(change.ended),
                change.truth
            ));
            return;
        }
        report.excused += usize::from(is_excused);
    }

    /// Checks that only processes that were killed broke connections, and that invalidations were
    /// refused only while they could not be recorded.
    fn check_failures(&self, report: &mut Report) {
        let was_killed = |process: usize, by: Instant| {
            let killed = self.killed.get(&process);
            killed.is_some_and(|&killed| killed <= by)
        };
        // A call of the upstream may fail if its process was stopped meanwhile. That is the failure of
        // the handler, and is shared for a second.
        let is_upstream = |failure: &Failure| {
            let shared = Duration::from_secs(2);
            let mut stopped = self.stopped.iter();
            failure.why.starts_with("502")
                && stopped.any(|&(begun, ended)| {
                    begun <= failure.ended && failure.begun <= ended + shared
                })
        };
        for failure in &self.failures {
            let is_allowed = failure.is_gone && was_killed(failure.process, failure.ended);
            if !is_allowed && !is_upstream(failure) {
                report.violations.push(format!(
                    "from {:.3} s to {:.3} s, process {} fails to serve {}: {}",
                    self.at(failure.begun),
                    self.at(failure.ended),
                    failure.process,
                    failure.path,
                    failure.why
                ));
            }
        }
        let troubles = self.troubles_by_instance();
        for change in &self.changes {
            let is_allowed = match &change.outcome {
                Outcome::Done => true,
                Outcome::Gone(_) => was_killed(change.process, change.ended),
                Outcome::Refused(_) => troubles.get(&change.instance).is_some_and(|troubles| {
                    let overlaps = |&(begun, ended)| change.begun <= ended && begun <= change.ended;
                    troubles.iter().any(overlaps)
                }),
            };
            if !is_allowed {
                report.violations.push(format!(
                    "from {:.3} s to {:.3} s, process {} of instance {} fails to invalidate {}: {:?}",
                    self.at(change.begun),
                    self.at(change.ended),
                    change.process,
                    change.instance,
                    change.tag,
                    change.outcome
                ));
            }
        }
    }

    /// Returns the times in which each instance may have been unable to record an invalidation. A
    /// trouble that begins before the effects of another have gone delays that.
    fn troubles_by_instance(&self) -> HashMap<usize, Vec<(Instant, Instant)>> {
        let mut troubles: Vec<_> = self.troubles.iter().collect();
        troubles.sort_by_key(|trouble| trouble.begun);
        let mut times: HashMap<usize, Vec<(Instant, Instant)>> = HashMap::new();
        for trouble in troubles {
            for &instance in &trouble.instances {
                let times = times.entry(instance).or_default();
                let left = times.last().map(|&(_, ended)| ended);
                let left = left.map(|ended| ended.saturating_duration_since(trouble.begun));
                let grace = trouble.grace.max(left.unwrap_or_default());
                times.push((trouble.begun, trouble.mended + grace));
            }
        }
        times
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A history whose moments are milliseconds from its beginning.
    struct Written {
        zero: Instant,
        history: History,
    }

    impl Written {
        fn new() -> Self {
            let zero = Instant::now();
            Self {
                zero,
                history: History::new(zero),
            }
        }

        fn at(&self, millis: u64) -> Instant {
            self.zero + Duration::from_millis(millis)
        }

        /// Adds an answer that took 10 ms.
        fn answer(&mut self, process: usize, begun: u64, truth: u32, cache_status: &str) {
            self.history.answers.push(Answer {
                process,
                path: "/home".into(),
                tag: Some("items"),
                begun: self.at(begun),
                ended: self.at(begun + 10),
                cache_status: cache_status.into(),
                truth,
            });
        }

        fn hit(&mut self, process: usize, begun: u64, truth: u32) {
            self.answer(process, begun, truth, "route; hit");
        }

        /// Adds an attempt to invalidate, by the instance with the number of its process, that took
        /// 10 ms.
        fn change(&mut self, process: usize, begun: u64, truth: u32, outcome: Outcome) {
            self.history.changes.push(Change {
                instance: process,
                process,
                tag: "items",
                truth,
                begun: self.at(begun),
                ended: self.at(begun + 10),
                outcome,
            });
        }

        fn done(&mut self, process: usize, begun: u64, truth: u32) {
            self.change(process, begun, truth, Outcome::Done);
        }

        fn loss(&mut self, of: Lost, begun: u64, ended: u64) {
            let (begun, ended) = (self.at(begun), self.at(ended));
            self.history.losses.push(Loss { of, begun, ended });
        }

        fn trouble(&mut self, begun: u64, mended: u64, grace: u64) {
            self.history.troubles.push(Trouble {
                instances: vec![0],
                begun: self.at(begun),
                mended: self.at(mended),
                grace: Duration::from_millis(grace),
            });
        }

        #[track_caller]
        fn violations(&self, expected: usize) {
            let violations = self.history.check().violations;
            assert_eq!(violations.len(), expected, "{violations:#?}");
        }
    }

    #[test]
    fn the_process_that_acknowledged_serves_nothing_older_at_once() {
        for cache_status in ["route; hit", "route; hit; detail=unverified"] {
            let mut it = Written::new();
            it.done(0, 0, 1);
            it.answer(0, 5, 0, cache_status);
            it.violations(0);
            it.answer(0, 11, 0, cache_status);
            it.violations(1);
        }
    }

    #[test]
    fn others_serve_nothing_older_after_the_bound_unless_it_is_marked() {
        let mut it = Written::new();
        it.done(0, 0, 1);
        it.hit(1, 1000, 0);
        it.answer(1, 2000, 0, "route; hit; detail=unverified");
        it.hit(1, 2000, 1);
        it.violations(0);
        it.hit(1, 1011, 0);
        it.violations(1);
    }

    #[test]
    fn a_lower_truth_that_was_acknowledged_later_hides_no_higher_one() {
        let mut it = Written::new();
        it.done(0, 0, 2);
        it.done(0, 50, 1);
        it.hit(0, 100, 1);
        it.violations(1);
    }

    #[test]
    fn a_lost_invalidation_is_in_force_again_after_its_process_has_asked() {
        let written = |asks: bool| {
            let mut it = Written::new();
            it.done(0, 0, 1);
            it.loss(Lost::All, 500, 600);
            it.hit(1, 5000, 0);
            if asks {
                // Began within the bound after the loss, so it may have been verified before that.
                it.hit(0, 1550, 1);
                it.hit(0, 4500, 1);
            }
            it
        };
        written(false).violations(0);
        written(true).violations(0);
        let mut it = written(true);
        it.hit(1, 5511, 0);
        it.violations(1);
        let mut it = written(false);
        it.hit(1, 60_000, 0);
        it.violations(0);
        // The process that acknowledged it never forgets it.
        it.hit(0, 700, 0);
        it.violations(1);
    }

    #[test]
    fn a_process_that_must_have_known_of_a_lost_invalidation_is_a_witness() {
        let mut it = Written::new();
        it.done(0, 0, 1);
        it.hit(1, 1500, 1);
        it.loss(Lost::All, 2000, 2100);
        it.hit(1, 3200, 1);
        it.hit(2, 4200, 0);
        it.violations(0);
        it.hit(2, 4300, 0);
        it.violations(1);
    }

    #[test]
    fn only_what_was_acknowledged_in_the_time_of_a_loss_is_lost() {
        for is_last in [false, true] {
            let mut it = Written::new();
            it.done(0, 0, 1);
            it.done(0, 200, 2);
            let since = Lost::Since(it.at(100));
            it.loss(if is_last { Lost::Last } else { since }, 300, 400);
            it.hit(1, 5000, 1);
            it.violations(0);
            it.hit(1, 5000, 0);
            it.violations(1);
        }
    }

    #[test]
    fn an_invalidation_is_refused_only_in_times_of_trouble() {
        let refused = || Outcome::Refused("503".into());
        let mut it = Written::new();
        it.trouble(1000, 2000, 500);
        // The second one ends what the first one began only when it is over itself.
        it.trouble(2100, 3000, 0);
        it.change(0, 1500, 1, refused());
        it.change(0, 3390, 2, refused());
        it.violations(0);
        it.change(0, 980, 3, refused());
        it.change(0, 3410, 4, refused());
        it.change(1, 1500, 5, refused());
        it.violations(3);
    }

    #[test]
    fn only_a_process_that_was_killed_breaks_connections() {
        let failure = |it: &Written, is_gone| Failure {
            process: 0,
            path: "/home".into(),
            begun: it.at(0),
            ended: it.at(10),
            why: "closed".into(),
            is_gone,
        };
        let mut it = Written::new();
        let (gone, wrong) = (failure(&it, true), failure(&it, false));
        it.change(0, 0, 1, Outcome::Gone("closed".into()));
        it.history.failures.push(gone);
        it.violations(2);
        it.history.killed.insert(0, it.at(5));
        it.violations(0);
        it.history.failures.push(wrong);
        it.violations(1);
    }
}
