//! The history of a record: the marks that it has given, as far as it remembers.
//!
//! A caller names the mark up to which it has the record in force. If the record does not know that
//! mark, invalidations were lost, and nobody knows which. Then the floors rise, above everything
//! that the caller can have seen, and all older content counts as invalidated.

use std::collections::VecDeque;

use super::{Epoch, Mark};

/// The number of epochs for which a record remembers the words.
pub(super) const REMEMBERED: u64 = 65_536;
/// The number of unknown marks that are remembered because the floors have risen for them.
pub(super) const ANSWERED: usize = 64;

/// The judgement of a mark.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum MarkIs {
    /// The record gave this mark, and has lost nothing that led to it.
    Known,
    /// The record did not give this mark, or has lost it.
    Unknown,
    /// The mark is too old to tell.
    Old,
}

/// The marks of a record.
#[derive(Clone, Debug, Default, PartialEq)]
pub(super) struct History {
    /// The marks that were given last, in their order.
    given: VecDeque<Mark>,
    /// The unknown marks for which the floors rose last.
    answered: VecDeque<Mark>,
}

impl History {
    /// Returns the last mark that was given.
    pub(super) fn last(&self) -> Mark {
        self.given.back().copied().unwrap_or(Mark::START)
    }

    pub(super) fn judge(&self, mark: Mark) -> MarkIs {
        let last = self.last().epoch.0;
        let Mark { epoch, word } = mark;
        if epoch == Epoch(0) {
            return MarkIs::Known;
        }
        if epoch.0 > last {
            return MarkIs::Unknown;
        }
        if epoch.0 + REMEMBERED <= last {
            return MarkIs::Old;
        }
        match self.given.binary_search_by_key(&epoch, |mark| mark.epoch) {
            Ok(at) if self.given[at].word == word => MarkIs::Known,
            _ => MarkIs::Unknown,
        }
    }

    /// Returns the marks of those that are unknown and for which the floors have not risen yet, each
    /// once.
    pub(super) fn lost(&self, named: impl IntoIterator<Item = Mark>) -> Vec<Mark> {
        let mut lost = Vec::new();
        for mark in named {
            let is_lost = self.judge(mark) == MarkIs::Unknown && !self.answered.contains(&mark);
            if is_lost && !lost.contains(&mark) {
                lost.push(mark);
            }
        }
        lost
    }

    /// Returns the floor for a caller that named these marks, beside the floors of the record: what
    /// a mark that is too old has seen cannot be told.
    pub(super) fn floor_for(&self, named: impl IntoIterator<Item = Mark>) -> Epoch {
        let is_old = named
            .into_iter()
            .any(|mark| self.judge(mark) == MarkIs::Old);
        if is_old { self.last().epoch } else { Epoch(0) }
    }

    /// Returns a mark for the next invalidation.
    pub(super) fn next(&self, word: u64) -> Mark {
        Mark {
            epoch: Epoch(self.last().epoch.0 + 1),
            word,
        }
    }

    /// Returns a mark above everything that the record has given and that was named, for floors
    /// that rise.
    pub(super) fn above(&self, lost: &[Mark], word: u64) -> Mark {
        let highest = lost.iter().map(|mark| mark.epoch);
        let highest = highest.fold(self.last().epoch, Epoch::max);
        Mark {
            epoch: Epoch(highest.0.saturating_add(1)),
            word,
        }
    }

    /// Takes over a mark that was given. The mark is above all others.
    pub(super) fn give(&mut self, mark: Mark) {
        self.given.push_back(mark);
        let last = mark.epoch.0;
        let is_old = |mark: &Mark| mark.epoch.0 + REMEMBERED <= last;
        while self.given.front().is_some_and(is_old) {
            self.given.pop_front();
        }
    }

    /// Remembers that the floors rose for these marks, so that they rise once for each.
    pub(super) fn answer(&mut self, lost: impl IntoIterator<Item = Mark>) {
        self.answered.extend(lost);
        let excess = self.answered.len().saturating_sub(ANSWERED);
        self.answered.drain(..excess);
    }

    /// Returns the marks that were given last and the marks for which the floors rose, for a record
    /// that is written anew.
    pub(super) fn parts(&self) -> (&VecDeque<Mark>, &VecDeque<Mark>) {
        (&self.given, &self.answered)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn mark(epoch: u64, word: u64) -> Mark {
        Mark {
            epoch: Epoch(epoch),
            word,
        }
    }

    /// A history in which each number has itself as its word.
    fn history(numbers: impl IntoIterator<Item = u64>) -> History {
        let mut history = History::default();
        for number in numbers {
            history.give(mark(number, number));
        }
        history
    }

    #[test]
    fn a_mark_is_known_by_its_word_and_only_while_words_are_remembered() {
        let mut history = history([1, 2, 5, 6]);
        let check = |history: &History, epoch, word, expected| {
            assert_eq!(history.judge(mark(epoch, word)), expected, "{epoch} {word}");
        };
        check(&history, 0, 7, MarkIs::Known);
        check(&history, 2, 2, MarkIs::Known);
        check(&history, 2, 3, MarkIs::Unknown);
        check(&history, 3, 3, MarkIs::Unknown);
        check(&history, 7, 7, MarkIs::Unknown);
        history.give(mark(2 + REMEMBERED, 0));
        check(&history, 2, 2, MarkIs::Old);
        check(&history, 2, 3, MarkIs::Old);
        check(&history, 5, 5, MarkIs::Known);
        check(&history, 5 + REMEMBERED, 5, MarkIs::Unknown);
        assert_eq!(history.given.len(), 3);
    }

    #[test]
    fn floors_rise_above_all_lost_marks_and_once_for_each_of_the_last_sixty_four() {
        let mut history = history([1]);
        let lost = history.lost([mark(1, 1), mark(1, 9), mark(40, 9), mark(1, 9)]);
        assert_eq!(lost, [mark(1, 9), mark(40, 9)]);
        let floor = history.above(&lost, 7);
        assert_eq!(floor, mark(41, 7));
        history.give(floor);
        history.answer(lost);
        assert_eq!(history.lost([mark(1, 9), mark(40, 9)]), []);
        assert_eq!(history.next(8), mark(42, 8));
        history.answer((0..ANSWERED as u64).map(|word| mark(3, word)));
        assert_eq!(history.lost([mark(40, 9), mark(3, 0)]), [mark(40, 9)]);
    }

    #[test]
    fn a_mark_that_is_too_old_raises_the_floor_of_its_caller_alone() {
        let history = history([1, 2 + REMEMBERED]);
        assert_eq!(history.lost([mark(1, 9)]), []);
        assert_eq!(history.floor_for([mark(1, 9)]), Epoch(2 + REMEMBERED));
        assert_eq!(history.floor_for([mark(2 + REMEMBERED, 9)]), Epoch(0));
        assert_eq!(history.floor_for([Mark::START]), Epoch(0));
    }
}
