//! The file store, with more than one process and with processes that are killed.

#[path = "../fixtures/stored.rs"]
mod stored;

use std::fs;
use std::io::{BufRead as _, BufReader, Lines};
use std::os::unix::fs::{MetadataExt as _, PermissionsExt as _};
use std::os::unix::process::CommandExt as _;
use std::path::{Path, PathBuf};
use std::process::{Child, ChildStdout, Command, Stdio};
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::Duration;

use futures_util::future::join_all;
use route_runtime::route;
use route_runtime::store::{
    Epoch, FileStore, Invalidation, Invalidations, Mark, Store, StoredEntry, Tag,
};
use route_runtime::testing::{Outcome, TestApp};
use tests::production;

use self::stored::{body, entry, key};

const STORING: &str = env!("CARGO_BIN_EXE_storing");

/// A directory that is removed after the test.
struct Directory(PathBuf);

impl Directory {
    fn new() -> Self {
        static NUMBER: AtomicU32 = AtomicU32::new(0);
        let number = NUMBER.fetch_add(1, Ordering::Relaxed);
        let name = format!("route-files-{}-{number}", std::process::id());
        let path = std::env::temp_dir().join(name);
        fs::create_dir_all(&path).unwrap();
        Self(path)
    }

    fn path(&self) -> &str {
        self.0.to_str().unwrap()
    }

    /// Returns the directory and everything below it, outermost first.
    fn all(&self) -> Vec<PathBuf> {
        let mut all = vec![self.0.clone()];
        let mut next = 0;
        while let Some(path) = all.get(next) {
            let inner = fs::read_dir(path).into_iter().flatten();
            let inner: Vec<_> = inner.map(|it| it.unwrap().path()).collect();
            all.extend(inner);
            next += 1;
        }
        all
    }

    fn drafts(&self) -> usize {
        let tmp = self.0.join("v2/tmp");
        self.all()
            .iter()
            .filter(|path| path.starts_with(&tmp) && path.is_file())
            .count()
    }
}

impl Drop for Directory {
    fn drop(&mut self) {
        fs::remove_dir_all(&self.0).ok();
    }
}

async fn all(store: &FileStore) -> Invalidations {
    store.invalidations(Mark::START, None).await.unwrap()
}

async fn read(store: &FileStore, name: &str) -> Option<StoredEntry> {
    store.read(key(name), Mark::START).await.unwrap()
}

/// A process of the program `storing`, with a store of its own.
struct Storing {
    child: Child,
    lines: Lines<BufReader<ChildStdout>>,
}

impl Storing {
    fn start(mut command: Command) -> Self {
        let mut child = command.stdout(Stdio::piped()).spawn().unwrap();
        let lines = BufReader::new(child.stdout.take().unwrap()).lines();
        Self { child, lines }
    }

    fn run(what: &str, directory: &Directory, much: u64) -> Self {
        let mut command = Command::new(STORING);
        command.args([what, directory.path(), &much.to_string()]);
        Self::start(command)
    }

    /// Returns the lines that the process prints until it ends, which must be a success.
    fn rest(mut self) -> Vec<String> {
        let said = self.lines.by_ref().map(Result::unwrap).collect();
        assert!(self.child.wait().unwrap().success());
        said
    }
}

impl Drop for Storing {
    fn drop(&mut self) {
        self.child.kill().ok();
        self.child.wait().ok();
    }
}

fn epoch(line: &str) -> Option<u64> {
    line.strip_prefix("epoch ")?.parse().ok()
}

/// Asserts that the entry is one that `storing` writes, and is whole.
fn whole(entry: &StoredEntry) {
    let number: u64 = entry.tags[0].as_str().parse().unwrap();
    assert!(*entry.body == *body(number), "{number}");
}

#[tokio::test]
async fn a_process_killed_at_any_moment_tears_no_entry_and_loses_no_invalidation() {
    let directory = Directory::new();
    let (mut recorded, mut found) = (0, 0);
    for round in 0..20 {
        let mut process = Storing::run("storm", &directory, 0);
        // Each round kills the process at a different moment.
        for _ in 0..10 + round * 13 {
            let line = process.lines.next().unwrap().unwrap();
            recorded = epoch(&line).unwrap_or(recorded);
        }
        process.child.kill().unwrap();
        // Lines from before its death count too. The last one may have been cut off.
        for line in process.lines.by_ref().map_while(Result::ok) {
            recorded = epoch(&line).unwrap_or(recorded).max(recorded);
        }
        process.child.wait().unwrap();

        let store = FileStore::open(&directory.0);
        let news = all(&store).await;
        assert!(news.until.epoch >= Epoch(recorded), "{news:?}, {recorded}");
        assert_eq!(news.floor, Default::default(), "nothing was lost");
        let before = std::mem::take(&mut found);
        for name in 0..20 {
            if let Some(entry) = read(&store, &name.to_string()).await {
                whole(&entry);
                found += 1;
            }
        }
        assert!(
            found >= before,
            "none of {before} is gone: {found} are there"
        );
        // The only file left there is the lock of this store.
        assert_eq!(directory.drafts(), 1);
        drop(store);
    }
    // No entry was removed as damaged on the way: all are still there, each in its place.
    let shelves = |path: &PathBuf| path.is_file() && !path.starts_with(directory.0.join("v2/tmp"));
    let entries = directory.all().into_iter().filter(shelves);
    let entries = entries.filter(|path| path.file_name().unwrap().len() == 64);
    assert_eq!(entries.count(), 20);
}

#[tokio::test]
async fn invalidations_of_two_processes_share_one_numbering() {
    let directory = Directory::new();
    let store = FileStore::open(&directory.0);
    let mut process = Storing::run("invalidate", &directory, 200);
    let first = process.lines.next().unwrap().unwrap();
    let mut numbers = vec![epoch(&first).unwrap()];
    for number in 0..200 {
        let tags = [Tag::new(format!("mine {number}"))];
        let recorded = store.invalidate(&tags, Invalidation::Stale, Mark::START);
        numbers.push(recorded.await.unwrap().mark.epoch.0);
    }
    numbers.extend(process.rest().iter().filter_map(|line| epoch(line)));
    numbers.sort_unstable();
    assert!(numbers.into_iter().eq(1..=400));
    let news = all(&store).await;
    assert_eq!((news.until.epoch, news.tags.len()), (Epoch(400), 201));
}

#[tokio::test]
async fn a_process_learns_of_an_invalidation_by_another_process() {
    let directory = Directory::new();
    let store = FileStore::open(&directory.0);
    let changed = store.changed();
    let process = Storing::run("invalidate", &directory, 1);
    let told = tokio::time::timeout(Duration::from_secs(60), changed).await;
    told.expect("it is told").unwrap();
    process.rest();
    assert_eq!(all(&store).await.until.epoch, Epoch(1));
}

/// The process runs `attempt` with a limit on the size of a file, which fails as a full disk
/// does: in the middle of a file.
#[tokio::test]
async fn a_write_that_does_not_fit_on_the_disk_fails_and_harms_nothing() {
    let directory = Directory::new();
    let store = FileStore::open(&directory.0);
    store.write(key("kept"), entry(b"kept")).await.unwrap();
    let mut command = Command::new("bash");
    // The signal of the limit would end the process, which a full disk does not.
    let limited = r#"trap '' XFSZ; ulimit -f 64; exec "$@""#;
    command.args([
        "-c",
        limited,
        "bash",
        STORING,
        "attempt",
        directory.path(),
        "200000",
    ]);
    let said = Storing::start(command).rest();
    assert_eq!(
        said,
        [
            "read done",
            "there true",
            "write failed",
            "invalidate failed",
            "small done",
            "until 0"
        ]
    );
    assert!(read(&store, "large").await.is_none());
    assert!(read(&store, "small").await.is_some());
    let tags = [Tag::from("t")];
    let next = store
        .invalidate(&tags, Invalidation::Absent, Mark::START)
        .await;
    assert_eq!(next.unwrap().mark.epoch, Epoch(1));
}

/// The processes run as a user who may not write there, because nothing is read-only for root.
#[tokio::test]
async fn a_read_only_directory_is_a_source_and_invalidations_hold_in_the_process() {
    let (directory, program) = (Directory::new(), Directory::new());
    let store = FileStore::open(&directory.0);
    store.write(key("kept"), entry(b"kept")).await.unwrap();
    let tags = [Tag::from("t")];
    let recorded = store.invalidate(&tags, Invalidation::Absent, Mark::START);
    recorded.await.unwrap();
    drop(store);
    // Copy the program to where any user may start it.
    let storing = program.0.join("storing");
    fs::copy(STORING, &storing).unwrap();
    let permit = |path: &Path, bits: u32| {
        let mode = if path.is_dir() { bits | 0o111 } else { bits };
        fs::set_permissions(path, fs::Permissions::from_mode(mode)).unwrap();
    };
    permit(&program.0, 0o755);
    permit(&storing, 0o755);
    directory.all().iter().for_each(|path| permit(path, 0o444));
    let before = directory.all();
    // The next process finds what the first one did.
    let said = [(); 2].map(|()| {
        let mut command = Command::new(&storing);
        command.args(["attempt", directory.path(), "10"]);
        if fs::metadata(&directory.0).unwrap().uid() == 0 {
            command.uid(65_534).gid(65_534);
        }
        Storing::start(command).rest()
    });
    directory.all().iter().for_each(|path| permit(path, 0o644));
    for said in said {
        assert_eq!(
            said,
            [
                "read done",
                "there true",
                "write done",
                "invalidate done",
                "small done",
                "until 2"
            ]
        );
    }
    assert_eq!(directory.all(), before);
}

/// Returns the number of bytes that this thread has read so far.
fn read_by_now() -> u64 {
    let counts = fs::read_to_string("/proc/thread-self/io").unwrap();
    let read = counts.lines().find_map(|line| line.strip_prefix("rchar: "));
    read.unwrap().parse().unwrap()
}

#[tokio::test]
async fn opening_a_store_reads_none_of_its_entries() {
    let directory = Directory::new();
    let opening = || {
        let before = read_by_now();
        let store = FileStore::open(&directory.0);
        (store, read_by_now() - before)
    };
    let (store, _) = opening();
    drop(store);
    let (store, least) = opening();
    for number in 0..1000 {
        let name = number.to_string();
        store.write(key(&name), entry(&[7; 1000])).await.unwrap();
    }
    drop(store);
    let (store, last) = opening();
    // The two numbers differ a little, because reading the count reads bytes too.
    assert!(last < least + 1000, "{least}, then {last}");
    assert!(read(&store, "999").await.is_some());
}

#[route("/files/many/[id]", revalidate = false)]
async fn many(id: u32) -> String {
    format!("{id:0>10000}")
}

#[actix_web::test]
async fn a_thousand_cold_paths_at_once_are_all_read() {
    let directory = Directory::new();
    let routes = || production([many::ROUTE]).store(FileStore::open(directory.path()));
    let paths: Vec<_> = (0..1000).map(many::path).collect();
    let first = TestApp::new(routes()).await.unwrap();
    join_all(paths.iter().map(|path| first.get(path))).await;
    first.settled().await;

    let second = first.beside(routes()).await.unwrap();
    for reply in join_all(paths.iter().map(|path| second.get(path))).await {
        assert_eq!(reply.outcome(), Some(Outcome::Hit));
    }
    let stats = second.routes().stats();
    assert_eq!(
        (stats.adopted, stats.renders, stats.store_failures),
        (1000, 0, 0)
    );
}
