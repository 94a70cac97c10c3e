//! Fuzzing on stable Rust, with nothing to install: a target is a test that calls [`run`].
//!
//! The inputs are mutations of those in `corpus/<target>`. Their generator has a seed, so a run can
//! be repeated. A target returns an outcome for each input, and an input with a new outcome is
//! mutated further. New outcomes take the place of newly covered code.
//!
//! `FUZZ_SECONDS` is the time that each target runs, one second by default. `FUZZ_SEED` starts
//! another sequence of inputs.

use std::collections::HashSet;
use std::env;
use std::fs;
use std::hash::{DefaultHasher, Hash, Hasher as _};
use std::panic::{self, AssertUnwindSafe};
use std::path::PathBuf;
use std::time::{Duration, Instant};

mod mutate;

use mutate::Mutator;

/// The length of the longest inputs. Longer ones find nothing more, and take more time.
const LONGEST: usize = 4096;

/// The size up to which the pool of inputs to mutate grows, by inputs with new outcomes.
const POOL: usize = 2048;

/// Runs a target until its time is over. `words` are texts that mean something in its inputs.
/// `check` panics if something is wrong, and returns the outcome.
///
/// # Panics
///
/// If `check` panics, after printing the command that keeps the input in the corpus.
pub fn run<T: Hash>(target: &str, words: &[&str], check: impl Fn(&[u8]) -> T) {
    let seed = number("FUZZ_SEED").unwrap_or_default();
    let limit = Duration::from_secs(number("FUZZ_SECONDS").unwrap_or(1));
    let start = Instant::now();
    let mut outcomes = HashSet::new();
    let mut try_one = |input: &[u8]| {
        let checked = panic::catch_unwind(AssertUnwindSafe(|| check(input)));
        let outcome = checked.unwrap_or_else(|panic| {
            eprintln!("{}", keep(target, seed, input));
            panic::resume_unwind(panic)
        });
        outcomes.insert(hash(outcome))
    };

    let mut pool = corpus(target);
    for input in &pool {
        try_one(input);
    }
    let mut mutator = Mutator::new(seed, words);
    let mut count = pool.len();
    while start.elapsed() < limit {
        // Reading the clock takes as long as a small input, so it is read once for 16 inputs.
        for _ in 0..16 {
            let input = mutator.next(&pool, LONGEST);
            if try_one(&input) && pool.len() < POOL {
                pool.push(input);
            }
            count += 1;
        }
    }
    let outcomes = outcomes.len();
    println!("fuzz {target}: {count} inputs, {outcomes} outcomes, seed {seed}");
}

/// Reads the inputs in a target's corpus, in the order of their names.
fn corpus(target: &str) -> Vec<Vec<u8>> {
    let folder = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("corpus");
    let files = fs::read_dir(folder.join(target)).expect("a target has a corpus");
    let mut paths: Vec<_> = files.map(|file| file.expect("a file").path()).collect();
    assert!(!paths.is_empty(), "the corpus of `{target}` is empty");
    paths.sort();
    let inputs = paths.iter().map(fs::read);
    inputs.collect::<Result<_, _>>().expect("it can be read")
}

fn number(name: &str) -> Option<u64> {
    let value = env::var(name).ok()?;
    Some(
        value
            .parse()
            .unwrap_or_else(|_| panic!("{name}={value} is no number")),
    )
}

fn hash(value: impl Hash) -> u64 {
    let mut hasher = DefaultHasher::new();
    value.hash(&mut hasher);
    hasher.finish()
}

/// Describes a failing input, with the command that adds it to the corpus. The command runs at the
/// root of the repository.
fn keep(target: &str, seed: u64, input: &[u8]) -> String {
    let name = hash(input);
    let octal: String = input.iter().map(|byte| format!("\\{byte:03o}")).collect();
    let text = input.escape_ascii();
    format!(
        "fuzz {target}, seed {seed}: this input fails: b\"{text}\"\nkeep it:\n\
         printf '{octal}' > tests/fuzz/corpus/{target}/{name:016x}"
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_failing_input_is_found_and_printed_with_a_command_that_keeps_it() {
        let found = panic::catch_unwind(|| {
            run("pattern", &["needle"], |input| {
                let has_needle = input.windows(6).any(|part| part == b"needle");
                assert!(!has_needle, "found");
            });
        });
        assert_eq!(*found.unwrap_err().downcast::<&str>().unwrap(), "found");
        let told = keep("pattern", 7, b"/a\n'");
        assert!(told.contains(r#"b"/a\n\'""#), "{told}");
        assert!(told.contains(r"printf '\057\141\012\047' > tests/fuzz/corpus/pattern/"));
    }
}
