//! The table of settings: one row for each, from which its flag, its environment variable and its
//! documentation derive.

use std::env;
use std::ffi::OsStr;
use std::num::NonZeroUsize;
use std::path::PathBuf;
use std::str::FromStr;

use super::{ServeError, Server};
use crate::declaration::TagHeader;
use crate::mode::Mode;

/// Everything that is known of a setting, beside its value.
pub(crate) struct Setting {
    pub(crate) name: &'static str,
    pub(crate) variable: &'static str,
    /// The flag of the command line, without its hyphens; empty for none.
    pub(crate) flag: &'static str,
    pub(crate) value_name: &'static str,
    /// The only values, if there are few.
    pub(crate) choices: &'static [&'static str],
    /// The description of a value in an error message.
    pub(crate) expected: &'static str,
    pub(crate) help: &'static str,
    /// The default, as it is shown; empty for none.
    pub(crate) default: &'static str,
    /// The settings that exclude this one.
    pub(crate) conflicts: &'static [&'static str],
    /// Reads a value that was typed.
    pub(crate) read: fn(&mut Settings, &OsStr) -> Result<(), ()>,
    /// Sets it by its method of [`Server`], for a test that there is one, and that it has an
    /// effect.
    #[cfg_attr(not(test), allow(dead_code, reason = "for tests"))]
    pub(crate) method: fn(Server) -> Server,
}

impl Setting {
    const BLANK: Self = Self {
        name: "",
        variable: "",
        flag: "",
        value_name: "",
        choices: &[],
        expected: "",
        help: "",
        default: "",
        conflicts: &[],
        read: |_, _| Err(()),
        method: |server| server,
    };
}

/// Reads a value that is text.
pub(crate) fn text<T: FromStr>(typed: &OsStr) -> Result<T, ()> {
    typed.to_str().ok_or(())?.trim().parse().map_err(drop)
}

/// Reads a path, which need not be text.
fn path(typed: &OsStr) -> Result<PathBuf, ()> {
    Ok(typed.into())
}

/// Reads an address: a host and a port.
fn address(typed: &OsStr) -> Result<String, ()> {
    let address: String = text(typed)?;
    let (host, port) = address.rsplit_once(':').ok_or(())?;
    port.parse::<u16>().map_err(drop)?;
    // An address of IPv6 needs brackets, or its end would be taken for the port.
    let is_host = !host.is_empty() && (!host.contains(':') || host.starts_with('['));
    is_host.then(|| address.clone()).ok_or(())
}

/// Reads an environment variable, if it is set. An empty variable counts as not set.
pub(crate) fn from_env<T>(
    name: &'static str,
    expected: &'static str,
    read: fn(&OsStr) -> Result<T, ()>,
) -> Result<Option<T>, ServeError> {
    let Some(value) = env::var_os(name).filter(|value| !value.is_empty()) else {
        return Ok(None);
    };
    read(&value)
        .map(Some)
        .map_err(|()| ServeError::Environment {
            name,
            value: value.to_string_lossy().into_owned(),
            expected,
        })
}

/// Makes [`Settings`] and the rows of [`SETTINGS`], of one row for each setting: its name and the
/// type of its value; how one is read that was typed; its environment variable; what a value is in
/// words; everything else.
macro_rules! settings {
    ($($name:ident: $ty:ty, $read:ident, $variable:literal, $expected:literal, Setting { $($row:tt)* };)*) => {
        /// The settings of a server from one source; `None` for each that the source leaves open.
        #[derive(Clone, Debug, Default)]
        pub(crate) struct Settings {
            $(pub(crate) $name: Option<$ty>,)*
        }

        impl Settings {
            /// The settings of a source that says nothing.
            const OPEN: Self = Self { $($name: None,)* };
        }

        /// The settings, in the order in which they are documented.
        pub(crate) const SETTINGS: &[Setting] = &[$(Setting {
            name: stringify!($name),
            variable: $variable,
            expected: $expected,
            read: |settings, typed| {
                settings.$name = Some($read(typed)?);
                Ok(())
            },
            $($row)*
        }),*];

        /// A setting from whichever source says it: the command line, else the program, else the
        /// environment, which is not read otherwise.
        #[derive(Clone, Copy)]
        pub(crate) struct Sources<'a> {
            pub(crate) typed: &'a Settings,
            pub(crate) program: &'a Settings,
        }

        impl Sources<'static> {
            /// The environment alone.
            pub(crate) const ENVIRONMENT: Self = Self {
                typed: &Settings::OPEN,
                program: &Settings::OPEN,
            };
        }

        impl Sources<'_> {
            $(
                pub(crate) fn $name(self) -> Result<Option<$ty>, ServeError> {
                    match self.typed.$name.as_ref().or(self.program.$name.as_ref()) {
                        Some(value) => Ok(Some(value.clone())),
                        None => from_env($variable, $expected, $read),
                    }
                }
            )*
        }
    };
}

/// The default host.
pub(super) const HOST: &str = "127.0.0.1";
/// The default port.
pub(super) const PORT: &str = "3000";

settings! {
    host: String, text, "HOST", "an address", Setting {
        flag: "host",
        value_name: "HOST",
        help: "The address to listen on",
        default: HOST,
        method: |server| server.bind("0.0.0.0:80"),
        ..Setting::BLANK
    };
    port: u16, text, "PORT", "a port, from 0 to 65535", Setting {
        flag: "port",
        value_name: "PORT",
        help: "The port to listen on; 0 for any that is free",
        default: PORT,
        method: |server| server.bind("0.0.0.0:80"),
        ..Setting::BLANK
    };
    admin: String, address, "ROUTE_ADMIN", "a host and a port, such as `127.0.0.1:9000`", Setting {
        flag: "admin",
        value_name: "ADDRESS",
        help: "A second address to listen on, for operators: /health and /revalidate",
        default: "none",
        method: |server| server.admin("127.0.0.1:9000"),
        ..Setting::BLANK
    };
    workers: NonZeroUsize, text, "ROUTE_WORKERS", "a number of threads, at least 1", Setting {
        flag: "workers",
        value_name: "N",
        help: "How many threads answer requests",
        default: "one per core",
        method: |server| server.workers(2),
        ..Setting::BLANK
    };
    mode: Mode, text, "ROUTE_MODE", "`development` or `production`", Setting {
        flag: "mode",
        value_name: "MODE",
        choices: &["development", "production"],
        help: "How to render",
        default: "development in debug builds",
        method: |server| server.mode(Mode::Production),
        ..Setting::BLANK
    };
    cache_bytes: u64, text, "ROUTE_CACHE_BYTES", "a number of bytes", Setting {
        flag: "cache-bytes",
        value_name: "BYTES",
        help: "How many bytes of responses and data to keep in memory",
        default: "50000000",
        method: |server| server.cache_capacity(1),
        ..Setting::BLANK
    };
    renders: NonZeroUsize, text, "ROUTE_RENDERS", "a number of renders, at least 1", Setting {
        flag: "renders",
        value_name: "N",
        help: "How many places there are for renders that requests wait for",
        default: "128",
        method: |server| server.renders(1),
        ..Setting::BLANK
    };
    refreshes: NonZeroUsize, text, "ROUTE_REFRESHES", "a number of renders, at least 1", Setting {
        flag: "refreshes",
        value_name: "N",
        help: "How many places there are for renders that replace stale responses and data",
        default: "4 per core",
        method: |server| server.refreshes(1),
        ..Setting::BLANK
    };
    cache_dir: PathBuf, path, "ROUTE_CACHE_DIR", "a directory", Setting {
        flag: "cache-dir",
        value_name: "DIR",
        help: "The directory where responses and data are kept beyond memory",
        default: "none; of `start` .route/cache",
        conflicts: &["cache_url"],
        method: |server| server.store(crate::store::MemoryStore::new(1)),
        ..Setting::BLANK
    };
    cache_url: String, text, "ROUTE_CACHE_URL", "a URL", Setting {
        flag: "cache-url",
        value_name: "URL",
        help: "The Redis where they are kept, shared with other instances",
        method: |server| server.store(crate::store::MemoryStore::new(1)),
        ..Setting::BLANK
    };
    cdn: bool, text, "ROUTE_CDN", "`true` or `false`", Setting {
        help: "Whether shared caches outside may keep cached responses",
        default: "false",
        method: |server| server.cdn(true),
        ..Setting::BLANK
    };
    tag_header: TagHeader, text, "ROUTE_TAG_HEADER", "`Cache-Tag`, `Edge-Cache-Tag`, `Surrogate-Key` or `xkey`", Setting {
        help: "The header for tags that shared caches outside read",
        default: "Cache-Tag",
        method: |server| server.tag_header(TagHeader::Xkey),
        ..Setting::BLANK
    };
}

#[cfg(all(test, unix))]
mod tests {
    use std::os::unix::ffi::OsStrExt as _;

    use super::*;

    #[test]
    fn an_address_is_a_host_and_a_port() {
        for right in [
            "127.0.0.1:9000",
            "localhost:0",
            "[::1]:9000",
            " a.example:1 ",
        ] {
            let read = address(right.as_ref());
            assert_eq!(read.as_deref(), Ok(right.trim()));
        }
        for wrong in [
            "",
            "9000",
            ":9000",
            "localhost",
            "a:65536",
            "a:-1",
            "a:",
            "::1:9000",
        ] {
            assert_eq!(address(wrong.as_ref()), Err(()), "{wrong}");
        }
    }

    #[test]
    fn a_value_that_is_not_text_is_an_error_unless_it_is_a_directory() {
        for setting in SETTINGS {
            let read = (setting.read)(&mut Settings::default(), OsStr::from_bytes(b"\xff"));
            let is_directory = setting.name == "cache_dir";
            assert_eq!(read.is_ok(), is_directory, "{}", setting.name);
        }
    }
}
