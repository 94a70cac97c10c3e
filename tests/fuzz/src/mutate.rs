//! Mutations of known inputs.

/// A generator of inputs. The same seed gives the same inputs.
pub(crate) struct Mutator<'a> {
    state: u64,
    words: &'a [&'a str],
}

/// Bytes at the limits of ranges, where behaviour changes.
const EDGES: [u8; 12] = [0, 1, 9, 10, 13, 31, 32, 126, 127, 128, 254, 255];

/// Lengths at the limits of ranges.
const NUMBERS: [u32; 8] = [0, 1, 0x7f, 0x80, 0xffff, 0x7fff_ffff, 0x8000_0000, u32::MAX];

impl<'a> Mutator<'a> {
    pub(crate) fn new(seed: u64, words: &'a [&'a str]) -> Self {
        Self { state: seed, words }
    }

    /// Returns an input of the pool, changed in a few places.
    pub(crate) fn next(&mut self, pool: &[Vec<u8>], longest: usize) -> Vec<u8> {
        let mut input = pool[self.below(pool.len())].clone();
        for _ in 0..1 << self.below(4) {
            self.change(&mut input, pool);
        }
        input.truncate(longest);
        input
    }

    fn change(&mut self, input: &mut Vec<u8>, pool: &[Vec<u8>]) {
        let at = self.below(input.len() + 1);
        let length = 1 + self.below(8);
        let end = (at + length).min(input.len());
        match self.below(12) {
            0 if at < input.len() => input[at] ^= 1 << self.below(8),
            1 if at < input.len() => input[at] = self.byte(),
            2 if at < input.len() => input[at] = EDGES[self.below(EDGES.len())],
            3 => {
                input.drain(at..end);
            }
            4 => {
                let bytes: Vec<_> = (0..length).map(|_| self.byte()).collect();
                input.splice(at..at, bytes);
            }
            5 => {
                let again = input[at..end].repeat(1 << self.below(6));
                input.splice(at..at, again);
            }
            6 => {
                let number = NUMBERS[self.below(NUMBERS.len())].to_le_bytes();
                input.splice(at..(at + 4).min(input.len()), number);
            }
            7 => {
                let other = &pool[self.below(pool.len())];
                let from = self.below(other.len() + 1);
                input.truncate(at);
                input.extend_from_slice(&other[from..]);
            }
            8 if at < input.len() => {
                let other = self.below(input.len());
                input.swap(at, other);
            }
            9 => {
                let word = self.word();
                input.splice(at..end, word);
            }
            _ => {
                let word = self.word();
                input.splice(at..at, word);
            }
        }
    }

    fn word(&mut self) -> Vec<u8> {
        match self.words {
            [] => vec![self.byte()],
            words => words[self.below(words.len())].into(),
        }
    }

    fn byte(&mut self) -> u8 {
        self.random().to_le_bytes()[0]
    }

    fn below(&mut self, end: usize) -> usize {
        (self.random() % end as u64) as usize
    }

    /// Returns the next number of SplitMix64.
    fn random(&mut self) -> u64 {
        self.state = self.state.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut mixed = self.state;
        mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        mixed ^ (mixed >> 31)
    }
}
