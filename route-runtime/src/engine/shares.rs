//! The rule by which owners share a number of places.
//!
//! An owner may take a place if it has none, or if it has fewer than are free. So an owner that is
//! alone gets half of the places, the next one half of what is left, and so on, and none ever waits
//! for others to take its first. At most as many places are taken as there are, and one more for
//! each owner.
//!
//! An owner that may not take a place waits in a queue of its own. As places come back, the owners
//! that wait take turns.
//!
//! This module is synchronous and knows neither time nor tasks.

use std::collections::{HashMap, VecDeque};

use crate::owner::Owner;

/// The places, and the owners that have some or wait for one. A `T` stands for one that waits.
#[derive(Debug)]
pub(super) struct Shares<T> {
    places: usize,
    taken: usize,
    owners: HashMap<Owner, Share<T>>,
    /// The owners that wait, in the order of their turns.
    turns: VecDeque<Owner>,
}

/// The part of the places that one owner has, and its queue.
#[derive(Debug)]
pub(super) struct Share<T> {
    pub(super) taken: usize,
    pub(super) waiting: VecDeque<T>,
    /// The number of times that the owner was turned away.
    pub(super) refused: u64,
    /// The owner was turned away, and has taken no place without waiting since then.
    is_over: bool,
}

impl<T> Default for Share<T> {
    fn default() -> Self {
        Self {
            taken: 0,
            waiting: VecDeque::new(),
            refused: 0,
            is_over: false,
        }
    }
}

impl<T> Shares<T> {
    pub(super) fn new(places: usize) -> Self {
        Self {
            places,
            taken: 0,
            owners: HashMap::new(),
            turns: VecDeque::new(),
        }
    }

    /// Returns whether an owner may take a place.
    pub(super) fn may_take(&self, owner: Owner) -> bool {
        let free = self.places.saturating_sub(self.taken);
        let has = self.owners.get(&owner).map_or(0, |share| share.taken);
        has == 0 || has < free
    }

    /// Takes a place for an owner, if it may have one.
    pub(super) fn take(&mut self, owner: Owner) -> bool {
        let may = self.may_take(owner);
        if may {
            let share = self.share(owner);
            share.taken += 1;
            share.is_over = false;
            self.taken += 1;
        }
        may
    }

    /// Puts one that waits at the end of its owner's queue, unless `longest` wait there already.
    pub(super) fn wait(&mut self, owner: Owner, one: T, longest: usize) -> Result<(), T> {
        let share = self.share(owner);
        if share.waiting.len() >= longest {
            return Err(one);
        }
        share.waiting.push_back(one);
        if share.waiting.len() == 1 {
            self.turns.push_back(owner);
        }
        Ok(())
    }

    /// Removes the one from its owner's queue for which `is_it` holds, if it still waits.
    pub(super) fn leave(&mut self, owner: Owner, is_it: impl Fn(&T) -> bool) -> Option<T> {
        let share = self.owners.get_mut(&owner)?;
        let index = share.waiting.iter().position(is_it)?;
        let left = share.waiting.remove(index);
        if share.waiting.is_empty() {
            self.turns.retain(|it| *it != owner);
        }
        left
    }

    /// Takes back a place of an owner. Returns those that have a place now instead of waiting.
    pub(super) fn give_back(&mut self, owner: Owner) -> Vec<(Owner, T)> {
        let share = self.share(owner);
        share.taken -= 1;
        self.taken -= 1;
        let mut next = Vec::new();
        while let Some(turn) = self.turns.iter().position(|owner| self.may_take(*owner)) {
            let Some(owner) = self.turns.remove(turn) else {
                break;
            };
            let share = self.share(owner);
            share.taken += 1;
            next.extend(share.waiting.pop_front().map(|one| (owner, one)));
            if !share.waiting.is_empty() {
                self.turns.push_back(owner);
            }
            self.taken += 1;
        }
        self.forget_if_unused(owner);
        next
    }

    /// Records that an owner was turned away. Returns whether this is the first time since it took
    /// a place without waiting.
    pub(super) fn refuse(&mut self, owner: Owner) -> bool {
        let share = self.share(owner);
        share.refused += 1;
        !std::mem::replace(&mut share.is_over, true)
    }

    /// Returns every owner that has a place, waits, or was turned away.
    pub(super) fn iter(&self) -> impl Iterator<Item = (Owner, &Share<T>)> {
        self.owners.iter().map(|(owner, share)| (*owner, share))
    }

    fn share(&mut self, owner: Owner) -> &mut Share<T> {
        self.owners.entry(owner).or_default()
    }

    fn forget_if_unused(&mut self, owner: Owner) {
        let share = self.share(owner);
        if share.taken == 0 && share.waiting.is_empty() && share.refused == 0 {
            self.owners.remove(&owner);
        }
    }
}

#[cfg(test)]
mod tests {
    use std::collections::HashSet;

    use super::*;

    const OWNERS: [Owner; 4] = [Owner("a"), Owner("b"), Owner("c"), Owner("d")];

    /// The state of [`Shares`] as far as it decides anything: for each owner how many places it has
    /// and how many of it wait, and the order of turns.
    #[derive(Clone, Debug, PartialEq, Eq, Hash)]
    struct State {
        taken: [usize; 4],
        waiting: [usize; 4],
        turns: Vec<usize>,
    }

    #[derive(Clone, Copy, Debug)]
    enum Event {
        /// A render asks for a place, and waits if it gets none.
        Ask,
        /// A render is done, panicked or was dropped: its place comes back.
        Done,
        /// A wait is cancelled, or was too long.
        Leave,
    }

    impl State {
        fn shares(&self, places: usize) -> Shares<usize> {
            let mut shares = Shares::new(places);
            for (index, owner) in OWNERS.into_iter().enumerate() {
                let share = Share {
                    taken: self.taken[index],
                    waiting: (0..self.waiting[index]).collect(),
                    ..Share::default()
                };
                shares.taken += share.taken;
                shares.owners.insert(owner, share);
            }
            shares.turns = self.turns.iter().map(|index| OWNERS[*index]).collect();
            shares
        }

        fn of(shares: &Shares<usize>) -> Self {
            let count = |count: fn(&Share<usize>) -> usize| {
                OWNERS.map(|owner| shares.owners.get(&owner).map_or(0, count))
            };
            let index = |owner| OWNERS.iter().position(|it| *it == owner);
            Self {
                taken: count(|share| share.taken),
                waiting: count(|share| share.waiting.len()),
                turns: shares.turns.iter().filter_map(|it| index(*it)).collect(),
            }
        }
    }

    /// Applies an event, and checks the rule for every place that is taken by it.
    fn step(
        before: &State,
        (places, longest): (usize, usize),
        owner: usize,
        event: Event,
    ) -> Option<State> {
        let mut shares = before.shares(places);
        let may = |taken: &[usize; 4], owner: usize| {
            let free = places.saturating_sub(taken.iter().sum());
            taken[owner] == 0 || taken[owner] < free
        };
        match event {
            Event::Ask => {
                let took = shares.take(OWNERS[owner]);
                assert_eq!(took, may(&before.taken, owner), "{before:?}");
                if !took && shares.wait(OWNERS[owner], 9, longest).is_err() {
                    assert_eq!(before.waiting[owner], longest);
                    return None;
                }
            }
            Event::Done => {
                if before.taken[owner] == 0 {
                    return None;
                }
                let mut taken = before.taken;
                taken[owner] -= 1;
                let mut served = [0; 4];
                for (next, one) in shares.give_back(OWNERS[owner]) {
                    let next = OWNERS.iter().position(|it| *it == next).unwrap();
                    assert!(may(&taken, next), "{before:?}");
                    assert_eq!(one, served[next], "first come, first served");
                    served[next] += 1;
                    taken[next] += 1;
                }
                assert_eq!(State::of(&shares).taken, taken, "no place is lost");
            }
            Event::Leave => {
                if before.waiting[owner] == 0 {
                    return None;
                }
                let last = before.waiting[owner] - 1;
                assert_eq!(shares.leave(OWNERS[owner], |one| *one == last), Some(last));
            }
        }
        Some(State::of(&shares))
    }

    /// Explores every state that can be reached with so many places and so long queues.
    fn explore(places: usize, longest: usize) -> usize {
        let start = State {
            taken: [0; 4],
            waiting: [0; 4],
            turns: Vec::new(),
        };
        let mut seen = HashSet::from([start.clone()]);
        let mut left = vec![start];
        while let Some(state) = left.pop() {
            let all: usize = state.taken.iter().sum();
            assert!(all < places + OWNERS.len(), "{state:?}");
            let free = places.saturating_sub(all);
            for owner in 0..OWNERS.len() {
                // Nobody waits who may have a place, and nobody waits without a turn.
                if state.waiting[owner] > 0 {
                    assert!(
                        state.taken[owner] > 0 && state.taken[owner] >= free,
                        "{state:?}"
                    );
                }
                let turns = state.turns.iter().filter(|it| **it == owner).count();
                assert_eq!(turns, usize::from(state.waiting[owner] > 0), "{state:?}");
                for event in [Event::Ask, Event::Done, Event::Leave] {
                    if let Some(next) = step(&state, (places, longest), owner, event)
                        && seen.insert(next.clone())
                    {
                        left.push(next);
                    }
                }
            }
        }
        seen.len()
    }

    #[test]
    fn the_rule_holds_in_every_state_of_up_to_eight_places_and_four_owners() {
        for places in 1..=8 {
            // Longer queues behave like these, and have more states than a test should take.
            let longest = if places <= 4 { 2 } else { 1 };
            let states = explore(places, longest);
            assert!(states > 1000, "{places}: {states}");
        }
    }

    #[test]
    fn an_owner_alone_gets_half_of_the_places_and_the_next_one_half_of_the_rest() {
        let mut shares = Shares::<()>::new(128);
        let most = OWNERS.map(|owner| (0..200).filter(|_| shares.take(owner)).count());
        assert_eq!(most, [64, 32, 16, 8]);
    }

    #[test]
    fn owners_that_wait_take_turns() {
        let mut shares = Shares::new(2);
        let [a, b, c, _] = OWNERS;
        assert!(shares.take(a) && shares.take(b) && shares.take(c));
        for one in 0..3 {
            for owner in [a, b, c] {
                assert!(!shares.take(owner));
                shares.wait(owner, one, 9).unwrap();
            }
        }
        // Each has one place, so each is the next when its own comes back.
        for one in 0..3 {
            for owner in [c, a, b] {
                assert_eq!(shares.give_back(owner), [(owner, one)]);
            }
        }
        for owner in [a, b, c] {
            assert_eq!(shares.give_back(owner), []);
        }
        assert_eq!(shares.iter().count(), 0);
    }
}
