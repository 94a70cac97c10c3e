//! The memory of this process: a bounded map, and slots beside it.

use std::borrow::Borrow;
use std::hash::Hash;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};

use quick_cache::sync::Cache;
use quick_cache::{DefaultHashBuilder, Lifecycle, OptionsBuilder, Weighter};

use super::slot::{Pinned, Slot};

/// A key or a value that knows how many bytes it occupies. The number must not change while it is
/// kept, and must not be zero.
pub(crate) trait Weighted {
    fn weight(&self) -> usize;

    /// Returns the part of the weight that is set aside for what may be made of the value later. It
    /// does not count towards the bound on the largest value.
    fn reserve(&self) -> usize {
        0
    }
}

/// The bounds of a [`Memory`].
#[derive(Clone, Copy, Debug)]
pub(crate) struct MemoryOptions {
    /// The bytes of everything together: keys, values and the overhead of keeping them.
    pub(crate) capacity: u64,
    /// The bytes of the largest value that is kept, without its reserve.
    pub(crate) entry_limit: u64,
}

impl MemoryOptions {
    const LARGEST_ENTRY: u64 = 2 * 1024 * 1024;

    /// Makes bounds that limit entries to 2 MiB, or to a quarter of a capacity below 8 MiB.
    pub(crate) fn with_capacity(capacity: u64) -> Self {
        Self {
            capacity,
            entry_limit: Self::LARGEST_ENTRY.min(capacity / 4),
        }
    }

    /// Returns the number of shards: as many as the cores ask for, but each with room for two of
    /// the largest entries, whose reserves are as large again. The map would refuse a value heavier
    /// than its shard.
    fn shards(self) -> usize {
        let cores = std::thread::available_parallelism().map_or(1, usize::from);
        let roomy = self.capacity / (4 * self.entry_limit).max(1);
        let shards = usize::try_from(roomy)
            .unwrap_or(usize::MAX)
            .clamp(1, cores * 4);
        1 << shards.ilog2()
    }

    /// Estimates the number of items. The map uses it only to size its memory of evicted keys.
    fn items(self) -> usize {
        usize::try_from(self.capacity / 4096)
            .unwrap_or(usize::MAX)
            .clamp(1024, 1 << 20)
    }
}

/// A memory of values within a bound of bytes, which evicts those least used.
///
/// The map is scan-resistant: a value that was read twice outlives any stream of values read once.
#[derive(Debug)]
pub(crate) struct Memory<K, T: Weighted + Clone> {
    map: Cache<K, T, ByWeight, DefaultHashBuilder, CountEvictions>,
    options: MemoryOptions,
    pinned: Arc<Pinned>,
    /// The bytes by which the map's capacity was last reduced for slots; locked while a slot
    /// changes.
    yielded: Mutex<u64>,
    evictions: Arc<AtomicU64>,
}

impl<K, T> Memory<K, T>
where
    K: Hash + Eq + Clone + Weighted,
    T: Weighted + Clone,
{
    pub(crate) fn new(options: MemoryOptions) -> Self {
        let evictions = Arc::default();
        let built = OptionsBuilder::new()
            .weight_capacity(options.capacity)
            .estimated_items_capacity(options.items())
            .shards(options.shards())
            .build()
            .expect("both capacities are set");
        Self {
            map: Cache::with_options(
                built,
                ByWeight,
                DefaultHashBuilder::default(),
                CountEvictions(Arc::clone(&evictions)),
            ),
            options,
            pinned: Arc::default(),
            yielded: Mutex::new(0),
            evictions,
        }
    }

    /// Makes a slot whose value counts towards this memory's bound.
    pub(crate) fn slot(&self) -> Slot<T> {
        Slot::new(Arc::clone(&self.pinned))
    }

    pub(crate) fn read<Q>(&self, key: &Q) -> Option<T>
    where
        K: Borrow<Q>,
        Q: Hash + Eq + ?Sized,
    {
        self.map.get(key)
    }

    /// Keeps a value under a key, unless it is too large. Returns whether the value is kept.
    ///
    /// The value that was there before is gone in both cases: a caller never finds a value that it
    /// replaced.
    pub(crate) fn write(&self, key: &K, value: T) -> bool {
        // A shard admits a value that fits into the part it reserves for values in use.
        let shard = self.map.shard_capacity() * 9 / 10;
        let weight = (key.weight() + value.weight()) as u64;
        if weight - value.reserve() as u64 > self.options.entry_limit || weight > shard {
            self.map.remove(key);
            return false;
        }
        self.map.insert(key.clone(), value);
        true
    }

    pub(crate) fn remove(&self, key: &K) {
        self.map.remove(key);
    }

    #[cfg(test)]
    pub(crate) fn all(&self) -> Vec<(K, T)> {
        self.map.iter().collect()
    }

    /// Keeps a value in a slot, by the rules of [`write`](Self::write).
    pub(crate) fn write_slot(&self, slot: &Slot<T>, value: T) -> bool {
        debug_assert!(slot.belongs_to(&self.pinned), "a slot of another memory");
        let mut yielded = self.yielded.lock().unwrap_or_else(PoisonError::into_inner);
        let weight = value.weight() as u64;
        let others = self.pinned.bytes() - slot.weight();
        let size = weight - value.reserve() as u64;
        let fits = size <= self.options.entry_limit && others + weight <= self.options.capacity;
        slot.swap(fits.then_some(value));
        self.make_room(&mut yielded);
        fits
    }

    pub(crate) fn entry_limit(&self) -> u64 {
        self.options.entry_limit
    }

    pub(crate) fn capacity(&self) -> u64 {
        self.options.capacity
    }

    /// Returns the bytes that slots hold.
    pub(crate) fn pinned(&self) -> u64 {
        self.pinned.bytes()
    }

    pub(crate) fn bytes(&self) -> u64 {
        self.map.weight() + self.pinned()
    }

    /// Returns the number of values under keys. Slots are not counted.
    pub(crate) fn len(&self) -> usize {
        self.map.len()
    }

    pub(crate) fn evictions(&self) -> u64 {
        self.evictions.load(Ordering::Relaxed)
    }

    /// Reduces the map's capacity by the bytes that slots hold.
    fn make_room(&self, yielded: &mut u64) {
        let reserved = self.pinned.reserved();
        if *yielded != reserved {
            *yielded = reserved;
            // A capacity of zero would make the map forget how it divides its room.
            let left = self.options.capacity.saturating_sub(reserved).max(1);
            self.map.set_capacity(left);
        }
    }
}

#[derive(Clone, Debug)]
struct ByWeight;

impl<K: Weighted, T: Weighted> Weighter<K, T> for ByWeight {
    fn weight(&self, key: &K, value: &T) -> u64 {
        (key.weight() + value.weight()) as u64
    }
}

/// A counter of evicted values, which leaves them to be dropped outside the shard's lock.
#[derive(Clone, Debug)]
struct CountEvictions(Arc<AtomicU64>);

impl<K, T> Lifecycle<K, T> for CountEvictions {
    /// The values that one request evicts. There is seldom more than one, because values are
    /// evicted as others come in.
    type RequestState = [Option<(K, T)>; 2];

    fn before_evict(&self, _: &mut Self::RequestState, _: &K, _: &mut T) {
        self.0.fetch_add(1, Ordering::Relaxed);
    }

    /// Keeps an evicted value for later, if there is room. The map calls this for replaced values,
    /// too.
    fn on_evict(&self, evicted: &mut Self::RequestState, key: K, value: T) {
        if let Some(place) = evicted.iter_mut().find(|place| place.is_none()) {
            *place = Some((key, value));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[derive(Clone, Debug, PartialEq)]
    struct Bytes(u32, usize);

    /// A value half of which is reserve.
    #[derive(Clone, Debug, PartialEq)]
    struct Compressible(usize);

    impl Weighted for Compressible {
        fn weight(&self) -> usize {
            2 * self.0
        }

        fn reserve(&self) -> usize {
            self.0
        }
    }

    impl Weighted for Bytes {
        fn weight(&self) -> usize {
            self.1
        }
    }

    impl Weighted for u32 {
        fn weight(&self) -> usize {
            4
        }
    }

    fn memory(capacity: u64) -> Memory<u32, Bytes> {
        Memory::new(MemoryOptions::with_capacity(capacity))
    }

    #[test]
    fn a_million_keys_stay_within_the_bound_and_evict_no_value_in_use() {
        let memory = memory(1_000_000);
        for used in 0..50 {
            memory.write(&used, Bytes(used, 1000));
        }
        for key in 1000..1_001_000 {
            if key % 100 == 0 {
                (0..50).for_each(|used| assert!(memory.read(&used).is_some(), "{used} at {key}"));
            }
            memory.write(&key, Bytes(key, 200));
        }
        assert!(memory.bytes() <= 1_000_000 && memory.bytes() > 900_000);
        assert_eq!(memory.evictions() + memory.len() as u64, 1_000_050);
    }

    #[test]
    fn a_value_that_is_too_large_removes_the_one_it_replaces() {
        let memory = memory(1_000_000);
        assert!(memory.write(&1, Bytes(1, 100)));
        assert!(memory.write(&1, Bytes(2, 200)));
        assert_eq!(
            (memory.read(&1), memory.bytes()),
            (Some(Bytes(2, 200)), 204)
        );
        assert!(!memory.write(&1, Bytes(3, 250_000)));
        assert_eq!((memory.read(&1), memory.bytes()), (None, 0));

        let slot = memory.slot();
        assert!(memory.write_slot(&slot, Bytes(1, 100)));
        assert!(!memory.write_slot(&slot, Bytes(2, 250_001)));
        assert_eq!((slot.read(), memory.bytes()), (None, 0));
        assert_eq!(memory.evictions(), 0);
    }

    #[test]
    fn every_size_of_memory_takes_its_largest_entry_in_every_shard() {
        for capacity in [
            100,
            10_000,
            1_000_000,
            10_000_000,
            50_000_000,
            10_000_000_000,
        ] {
            let memory = memory(capacity);
            let limit = usize::try_from(memory.entry_limit()).unwrap();
            for key in 0..100 {
                assert!(
                    memory.write(&key, Bytes(key, limit - 4)),
                    "{key} of {capacity}"
                );
                assert!(memory.read(&key).is_some(), "{key} of {capacity}");
                assert!(memory.bytes() <= capacity);
            }
            let memory = Memory::<u32, _>::new(MemoryOptions::with_capacity(capacity));
            for key in 0..100 {
                assert!(
                    memory.write(&key, Compressible(limit - 4)),
                    "{key} of {capacity}"
                );
                assert!(!memory.write(&(key + 100), Compressible(limit - 3)));
                assert!(memory.read(&key).is_some(), "{key} of {capacity}");
                assert!(memory.bytes() <= capacity);
            }
            let slot = memory.slot();
            assert!(memory.write_slot(&slot, Compressible(limit)));
            assert!(!memory.write_slot(&slot, Compressible(limit + 1)));
        }
    }

    #[test]
    fn keys_make_room_for_slots_and_get_it_back_after_the_slots_are_dropped() {
        let memory = memory(1_000_000);
        let fill = || {
            for key in 0..2000 {
                memory.write(&key, Bytes(key, 996));
            }
            memory.len()
        };
        assert!(fill() > 900);
        let slots: Vec<_> = (0..3).map(|_| memory.slot()).collect();
        for slot in &slots {
            assert!(memory.write_slot(slot, Bytes(0, 200_000)));
            assert!(memory.bytes() <= 1_000_000);
        }
        assert!(fill() < 400);
        drop(slots);
        // The memory notices this when a slot changes next.
        let slot = memory.slot();
        memory.write_slot(&slot, Bytes(0, 1));
        assert!(fill() > 900);
    }
}
