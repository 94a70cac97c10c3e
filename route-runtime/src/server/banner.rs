//! The lines that a server prints when it is ready.

use std::net::SocketAddr;

use crate::mode::Mode;

/// Returns the lines that say in which mode a server runs, and where it listens: for operators, if
/// it has an admin listener, and for clients.
pub(super) fn banner(mode: Mode, operators: &[SocketAddr], clients: &[SocketAddr]) -> String {
    let mut lines = format!("{}\n", mode_line(mode));
    for address in operators {
        lines.push_str(&format!("admin http://{address}\n"));
    }
    for address in clients {
        lines.push_str(&format!("serving http://{address}\n"));
    }
    lines
}

/// Returns the sentence that says what the mode does, and how to change it.
fn mode_line(mode: Mode) -> &'static str {
    match (mode, cfg!(feature = "cli")) {
        (Mode::Development, true) => {
            "development: every request renders; `--mode production` caches responses"
        }
        (Mode::Development, false) => {
            "development: every request renders; ROUTE_MODE or `Server::mode` changes the mode"
        }
        // The command `start` has no other mode.
        (Mode::Production, true) => {
            "production: responses are cached; `serve --mode development` renders every request"
        }
        (Mode::Production, false) => {
            "production: responses are cached; ROUTE_MODE or `Server::mode` changes the mode"
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_banner_names_the_mode_before_the_addresses() {
        let address = |port| SocketAddr::from(([127, 0, 0, 1], port));
        for (mode, start) in [
            (Mode::Development, "development: every request renders; "),
            (Mode::Production, "production: responses are cached; "),
        ] {
            let text = banner(mode, &[address(9000)], &[address(80)]);
            assert!(text.starts_with(start), "{text}");
            let end = "mode\nadmin http://127.0.0.1:9000\nserving http://127.0.0.1:80\n";
            let end = if cfg!(feature = "cli") {
                &end[4..]
            } else {
                end
            };
            assert!(text.ends_with(end), "{text}");
        }
    }
}
