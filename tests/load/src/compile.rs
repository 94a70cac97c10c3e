//! Measures what many routes cost to compile, beside the same handlers in actix-web's own macros.

use std::fmt::Write as _;
use std::fs;
use std::io;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::Duration;

use super::process::cpu_of_children;
use super::table::{Goal, Table, grouped, median};

const ROUTES: usize = 500;
const ROUNDS: usize = 3;

/// A kind of generated crate.
#[derive(Clone, Copy)]
enum Kind {
    Routes,
    Plain,
}

pub(crate) fn table() -> io::Result<Table> {
    let mut table = Table::new(format!("compiling {ROUTES} handlers"));
    let (ours, plain) = (Generated::new(Kind::Routes)?, Generated::new(Kind::Plain)?);
    let (mut checks, mut ratios) = (Vec::new(), Vec::new());
    for one in [&ours, &plain] {
        one.write(ROUTES)?;
        one.cargo(&["check"])?;
    }
    for _ in 0..ROUNDS {
        let (ours, plain) = (ours.check()?, plain.check()?);
        checks.push(ours.as_secs_f64());
        ratios.push(ours.as_secs_f64() / plain.as_secs_f64());
    }
    let ratio = median(ratios);
    table.row(
        "`cargo check`, beside actix-web's macros",
        format!("{:.1} s of CPU", median(checks)),
        ratio,
        Goal::at_most(ratio, 1.5),
    );
    let sizes = |one: &Generated| io::Result::Ok((one.size(1)?, one.size(ROUTES)?));
    let (ours, plain) = (sizes(&ours)?, sizes(&plain)?);
    let each = |(one, all): (f64, f64)| (all - one) / (ROUTES - 1) as f64;
    let ratio = each(ours) / each(plain);
    table.row(
        "each handler in the stripped binary",
        format!("{} bytes, {}", grouped(each(ours)), grouped(each(plain))),
        ratio,
        Goal::at_most(ratio, 1.5),
    );
    let kilobytes = |bytes: f64| grouped(bytes / 1024.0);
    table.row(
        "the binary with all of them; with one",
        format!(
            "{} KiB, {}; {} KiB, {}",
            kilobytes(ours.1),
            kilobytes(plain.1),
            kilobytes(ours.0),
            kilobytes(plain.0)
        ),
        ours.1 / plain.1,
        None,
    );
    Ok(table)
}

struct Generated {
    kind: Kind,
    directory: PathBuf,
}

impl Generated {
    fn new(kind: Kind) -> io::Result<Self> {
        let name = match kind {
            Kind::Routes => "routes",
            Kind::Plain => "plain",
        };
        let directory = std::env::current_exe()?
            .with_file_name("compile")
            .join(name);
        fs::create_dir_all(directory.join("src"))?;
        let root = Path::new(env!("CARGO_MANIFEST_DIR"))
            .join("../..")
            .canonicalize()?;
        let dependency = match kind {
            // Without default features, because these are not about routes.
            Kind::Routes => format!(
                "route-runtime = {{ path = {:?}, default-features = false }}",
                root.join("route-runtime")
            ),
            Kind::Plain => String::new(),
        };
        let manifest = format!(
            "[package]\nname = \"{name}\"\nversion = \"0.0.0\"\nedition = \"2024\"\n\n\
             [dependencies]\n{dependency}\n\
             actix-web = {{ version = \"4\", default-features = false, features = [\"cookies\", \"macros\"] }}\n\n\
             [profile.release]\nstrip = true\n\n[workspace]\n"
        );
        fs::write(directory.join("Cargo.toml"), manifest)?;
        fs::copy(root.join("Cargo.lock"), directory.join("Cargo.lock"))?;
        Ok(Self { kind, directory })
    }

    fn write(&self, routes: usize) -> io::Result<()> {
        let mut source = String::new();
        for number in 0..routes {
            // Writing to a string does not fail.
            let _ = match self.kind {
                Kind::Routes => writeln!(
                    source,
                    "#[route_runtime::route(\"/r{number}/[id]\")]\n\
                     async fn r{number}(id: u64) -> String {{ id.to_string() }}"
                ),
                Kind::Plain => writeln!(
                    source,
                    "#[actix_web::get(\"/r{number}/{{id}}\")]\n\
                     async fn r{number}(id: Path<u64>) -> String {{ id.to_string() }}"
                ),
            };
        }
        match self.kind {
            Kind::Routes => source.push_str(
                "#[actix_web::main]\nasync fn main() -> Result<(), route_runtime::ServeError> {\n\
                 route_runtime::serve().await\n}\n",
            ),
            Kind::Plain => {
                source.insert_str(0, "use actix_web::{App, HttpServer, web::Path};\n");
                let services: String = (0..routes)
                    .map(|number| format!(".service(r{number})"))
                    .collect();
                let _ = writeln!(
                    source,
                    "#[actix_web::main]\nasync fn main() -> std::io::Result<()> {{\n\
                     HttpServer::new(|| App::new(){services}).bind(\"127.0.0.1:0\")?.run().await\n}}"
                );
            }
        }
        fs::write(self.directory.join("src/main.rs"), source)
    }

    /// Checks the generated crate once more. Returns the CPU time that this took.
    fn check(&self) -> io::Result<Duration> {
        let source = self.directory.join("src/main.rs");
        fs::write(&source, fs::read(&source)?)?;
        let before = cpu_of_children()?;
        self.cargo(&["check"])?;
        Ok(cpu_of_children()? - before)
    }

    /// Returns the size in bytes of the binary with so many routes.
    fn size(&self, routes: usize) -> io::Result<f64> {
        self.write(routes)?;
        self.cargo(&["build", "--release"])?;
        let name = self.directory.file_name().unwrap_or_default();
        let binary = self.target().join("release").join(name);
        Ok(fs::metadata(binary)?.len() as f64)
    }

    /// Returns the target directory. Both crates share it, so shared dependencies are built once.
    fn target(&self) -> PathBuf {
        self.directory.with_file_name("target")
    }

    fn cargo(&self, arguments: &[&str]) -> io::Result<()> {
        let mut cargo = Command::new("cargo");
        cargo
            .args(arguments)
            .args(["--quiet", "--offline"])
            .current_dir(&self.directory)
            .env("CARGO_TARGET_DIR", self.target())
            // Compiles the whole crate each time.
            .env("CARGO_INCREMENTAL", "0")
            .stdin(Stdio::null());
        match cargo.status()?.success() {
            true => Ok(()),
            false => Err(io::Error::other(format!("{cargo:?} failed"))),
        }
    }
}
