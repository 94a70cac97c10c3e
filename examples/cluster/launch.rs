//! Starts the instances and their Redis, and ends them.

use std::env;
use std::error::Error;
use std::io::{self, BufRead as _, BufReader};
use std::net::{TcpListener, TcpStream};
use std::process::{self, Child, Command, Stdio};
use std::sync::mpsc::{self, Receiver, TryRecvError};
use std::thread;
use std::time::{Duration, Instant, SystemTime};

use actix_web::rt::time::{sleep, timeout};

const INSTANCES: u16 = 3;
/// The time that a program may take to start.
const PATIENCE: Duration = Duration::from_secs(60);
/// The time that an instance may take to end by itself.
const FAREWELL: Duration = Duration::from_secs(2);
const PAUSE: Duration = Duration::from_millis(20);

/// The instances and their Redis. Dropping it ends all of them.
pub(crate) struct Cluster {
    instances: Vec<(Process, String)>,
    redis: Option<Process>,
    cache: String,
}

impl Cluster {
    /// Starts the instances, and a Redis unless `ROUTE_CACHE_URL` names one. Waits until all serve.
    pub(crate) async fn start() -> Result<Self, Box<dyn Error>> {
        let first: u16 = match env::var("PORT") {
            Ok(port) => port.parse().map_err(|_| format!("PORT is `{port}`"))?,
            Err(_) => 3001,
        };
        let (redis, cache) = match env::var("ROUTE_CACHE_URL") {
            Ok(url) if !url.is_empty() => (None, url),
            _ => {
                let (redis, url) = start_redis().await?;
                (Some(redis), url)
            }
        };
        // Each run is a build of its own. Otherwise the responses that an earlier run left would be
        // hits, and this run would show no render.
        let since = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH)?;
        let run = format!("{} of {}", process::id(), since.as_nanos());
        let mut starting = Vec::new();
        for number in 1..=INSTANCES {
            let port = match first {
                0 => 0,
                first => first.checked_add(number - 1).ok_or("PORT is too high")?,
            };
            starting.push(start_instance(number, port, &cache, &run)?);
        }
        let mut instances = Vec::new();
        for (instance, address) in starting {
            let url = timeout(PATIENCE, heard(&address)).await;
            let url = url.ok().flatten();
            let url = url.ok_or_else(|| format!("{} does not serve", instance.name))?;
            instances.push((instance, url));
        }
        Ok(Self {
            instances,
            redis,
            cache,
        })
    }

    /// Returns the URLs of the instances.
    pub(crate) fn urls(&self) -> Vec<String> {
        self.instances.iter().map(|(_, url)| url.clone()).collect()
    }

    /// Returns the Redis that the instances share, without its password.
    pub(crate) fn cache(&self) -> &str {
        match &self.redis {
            Some(_) => &self.cache,
            None => "that of ROUTE_CACHE_URL",
        }
    }

    /// Fails if an instance or its Redis has ended.
    pub(crate) fn check(&mut self) -> Result<(), Box<dyn Error>> {
        let instances = self.instances.iter_mut().map(|(instance, _)| instance);
        for process in instances.chain(&mut self.redis) {
            if let Some(status) = process.child.try_wait()? {
                return Err(format!("{} has ended: {status}", process.name).into());
            }
        }
        Ok(())
    }
}

/// A child process. Dropping it ends the process.
struct Process {
    name: String,
    child: Child,
}

impl Process {
    fn start(name: String, command: &mut Command) -> io::Result<Self> {
        // Ctrl-C reaches every process of a group. A child in a group of its own goes on, so that
        // this process can end the children in its own order.
        #[cfg(unix)]
        std::os::unix::process::CommandExt::process_group(command, 0);
        let child = command.spawn()?;
        Ok(Self { name, child })
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        // Closing its standard input ends an instance. Redis is killed at once: it keeps nothing
        // that could be lost.
        if self.child.stdin.take().is_some() {
            let begun = Instant::now();
            while begun.elapsed() < FAREWELL && matches!(self.child.try_wait(), Ok(None)) {
                thread::sleep(PAUSE);
            }
        }
        self.child.kill().ok();
        self.child.wait().ok();
    }
}

fn start_instance(
    number: u16,
    port: u16,
    cache: &str,
    run: &str,
) -> Result<(Process, Receiver<String>), Box<dyn Error>> {
    let name = format!("instance {number}");
    let mut command = Command::new(env::current_exe()?);
    command.arg("instance").env("INSTANCE", &name);
    command
        .env("PORT", port.to_string())
        .env("ROUTE_MODE", "production")
        .env("ROUTE_CACHE_URL", cache)
        .env("ROUTE_BUILD_ID", run)
        .env_remove("ROUTE_CACHE_DIR")
        .stdin(Stdio::piped())
        .stdout(Stdio::piped());
    let mut process = Process::start(name, &mut command)?;
    let output = process.child.stdout.take();
    let (say, said) = mpsc::channel();
    // Reads to the end, because a pipe that nobody reads fills up.
    thread::spawn(move || {
        for line in output.into_iter().flat_map(|it| BufReader::new(it).lines()) {
            let Ok(line) = line else { break };
            if let Some(url) = line.strip_prefix("serving ") {
                say.send(url.to_owned()).ok();
            }
        }
    });
    Ok((process, said))
}

/// Returns the URL that an instance prints, or `None` if the instance ends without printing one.
async fn heard(said: &Receiver<String>) -> Option<String> {
    loop {
        match said.try_recv() {
            Ok(url) => return Some(url),
            Err(TryRecvError::Disconnected) => return None,
            Err(TryRecvError::Empty) => sleep(PAUSE).await,
        }
    }
}

/// Starts a Redis that keeps nothing on disk, and waits until it listens. Returns it and its URL.
async fn start_redis() -> Result<(Process, String), Box<dyn Error>> {
    // The listener is dropped when the statement ends, which frees the port for the server.
    let port = TcpListener::bind("127.0.0.1:0")?.local_addr()?.port();
    let mut command = Command::new("redis-server");
    command
        .args(["--bind", "127.0.0.1", "--save", "", "--appendonly", "no"])
        .args(["--port", &port.to_string()])
        .stdin(Stdio::null())
        .stdout(Stdio::null());
    let mut redis = match Process::start("redis-server".into(), &mut command) {
        Ok(redis) => redis,
        Err(error) if error.kind() == io::ErrorKind::NotFound => {
            return Err(
                "there is no `redis-server`: install Redis (`apt install redis-server`, \
                        `brew install redis`), or name one that runs in ROUTE_CACHE_URL"
                    .into(),
            );
        }
        Err(error) => return Err(format!("`redis-server` does not start: {error}").into()),
    };
    while TcpStream::connect(("127.0.0.1", port)).is_err() {
        if let Some(status) = redis.child.try_wait()? {
            return Err(format!("`redis-server` does not start: {status}").into());
        }
        sleep(PAUSE).await;
    }
    Ok((redis, format!("redis://127.0.0.1:{port}")))
}
