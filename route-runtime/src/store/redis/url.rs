//! The URL of a store, which names one server, a cluster, or the sentinels that know the server.

use std::fmt;

use redis::{ConnectionAddr, ConnectionInfo, ErrorKind, IntoConnectionInfo as _, RedisError};

/// The port of a sentinel whose URL has none.
const SENTINEL: &str = "26379";

/// A parsed URL.
pub(super) struct RedisUrl {
    /// The first host of the URL, with the user, password, database and TLS of all hosts.
    pub(super) first: ConnectionInfo,
    pub(super) hosts: Hosts,
}

/// The hosts of a URL.
pub(super) enum Hosts {
    /// The server itself.
    Server,
    /// Some nodes of a cluster.
    Cluster(Vec<Address>),
    Sentinels {
        sentinels: Vec<Address>,
        user: Option<String>,
        password: Option<String>,
        /// The name by which the sentinels know the servers.
        name: String,
    },
}

#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub(super) struct Address {
    pub(super) host: String,
    pub(super) port: u16,
}

impl RedisUrl {
    pub(super) fn parse(url: &str) -> Result<Self, RedisError> {
        let scheme = url.split_once("://").unwrap_or_default().0;
        match scheme.rsplit_once('-') {
            Some((scheme, "cluster")) => Self::cluster(scheme, UrlParts::of(url)),
            Some((scheme, "sentinel")) => Self::sentinels(scheme, UrlParts::of(url)),
            _ => Ok(Self {
                first: url.into_connection_info()?,
                hosts: Hosts::Server,
            }),
        }
    }

    fn cluster(scheme: &str, url: UrlParts<'_>) -> Result<Self, RedisError> {
        let rest = format!("{}{}", url.path, url.rest);
        let (first, nodes) = url.hosts(scheme, None, &rest)?;
        Ok(Self {
            first,
            hosts: Hosts::Cluster(nodes),
        })
    }

    fn sentinels(scheme: &str, url: UrlParts<'_>) -> Result<Self, RedisError> {
        let mut path = url.path.trim_matches('/').splitn(2, '/');
        let name = path.next().filter(|name| !name.is_empty());
        let name = name.ok_or_else(|| invalid("no name of a primary follows the sentinels"))?;
        let rest = format!("/{}{}", path.next().unwrap_or_default(), url.rest);
        let (first, sentinels) = url.hosts(scheme, Some(SENTINEL), &rest)?;
        Ok(Self {
            first,
            hosts: Hosts::Sentinels {
                sentinels,
                user: url.parameter("sentinel_user"),
                password: url.parameter("sentinel_password"),
                name: name.into(),
            },
        })
    }
}

/// The parts of a URL with more than one host.
struct UrlParts<'a> {
    /// The user and the password, with the `@` after them.
    credentials: &'a str,
    hosts: &'a str,
    path: &'a str,
    /// The query and the fragment, with the characters before them.
    rest: &'a str,
}

impl<'a> UrlParts<'a> {
    fn of(url: &'a str) -> Self {
        let (_, url) = url.split_once("://").unwrap_or_default();
        let (url, rest) = url.split_at(url.find(['?', '#']).unwrap_or(url.len()));
        let (authority, path) = url.split_at(url.find('/').unwrap_or(url.len()));
        let (credentials, hosts) = authority.split_at(authority.rfind('@').map_or(0, |at| at + 1));
        Self {
            credentials,
            hosts,
            path,
            rest,
        }
    }

    /// Parses each host as the host of a URL of one server that ends with `rest`.
    fn hosts(
        &self,
        scheme: &str,
        port: Option<&str>,
        rest: &str,
    ) -> Result<(ConnectionInfo, Vec<Address>), RedisError> {
        let mut first = None;
        let mut addresses = Vec::new();
        for host in self.hosts.split(',') {
            let port = match port {
                Some(port) if !has_port(host) => format!(":{port}"),
                _ => String::new(),
            };
            let url = format!("{scheme}://{}{host}{port}{rest}", self.credentials);
            let server = url.into_connection_info()?;
            addresses.push(match server.addr() {
                ConnectionAddr::Tcp(host, port) | ConnectionAddr::TcpTls { host, port, .. } => {
                    Address {
                        host: host.clone(),
                        port: *port,
                    }
                }
                _ => return Err(invalid("several servers cannot have a Unix socket")),
            });
            first.get_or_insert(server);
        }
        let first = first.ok_or_else(|| invalid("no host is named"))?;
        Ok((first, addresses))
    }

    fn parameter(&self, name: &str) -> Option<String> {
        let query = self.rest.strip_prefix('?')?;
        let query = query.split('#').next()?;
        let mut parameters = form_urlencoded::parse(query.as_bytes());
        parameters
            .find(|(key, _)| key == name)
            .map(|(_, value)| value.into_owned())
    }
}

impl Address {
    /// Reads the address to which a node of a cluster redirects. A host that the node does not know
    /// is the host of that node itself.
    pub(super) fn redirected(&self, to: &str) -> Option<Self> {
        let (host, port) = to.rsplit_once(':')?;
        Some(self.beside(host, port.parse().ok()?))
    }

    pub(super) fn beside(&self, host: &str, port: u16) -> Self {
        let host = if matches!(host, "" | "?") {
            &self.host
        } else {
            host
        };
        Self {
            host: host.into(),
            port,
        }
    }
}

impl fmt::Display for Address {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}:{}", self.host, self.port)
    }
}

fn has_port(host: &str) -> bool {
    let port = host.rsplit_once(':').map(|(_, port)| port);
    port.is_some_and(|port| !port.is_empty() && port.bytes().all(|it| it.is_ascii_digit()))
}

fn invalid(why: &'static str) -> RedisError {
    (ErrorKind::InvalidClientConfig, why).into()
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Describes a URL: how its hosts are used, the hosts, then what is the same for all of them.
    fn describe(url: &str) -> Option<String> {
        let target = RedisUrl::parse(url).ok()?;
        let (kind, hosts, more) = match target.hosts {
            Hosts::Server => ("server", vec![], String::new()),
            Hosts::Cluster(nodes) => ("cluster", nodes, String::new()),
            Hosts::Sentinels {
                sentinels,
                user,
                password,
                name,
            } => {
                let more = format!(" {name} {user:?} {password:?}");
                ("sentinels", sentinels, more)
            }
        };
        let hosts: Vec<_> = hosts.iter().map(Address::to_string).collect();
        let tls = matches!(target.first.addr(), ConnectionAddr::TcpTls { .. });
        let settings = target.first.redis_settings();
        Some(format!(
            "{kind} [{}]{more}; first {}{} {:?} {:?} {}",
            hosts.join(" "),
            target.first.addr(),
            if tls { " by TLS" } else { "" },
            settings.username(),
            settings.password(),
            settings.db(),
        ))
    }

    #[test]
    fn a_url_names_a_server_a_cluster_or_sentinels() {
        let check = |url, expected: &str| {
            assert_eq!(describe(url).as_deref(), Some(expected), "{url}");
        };
        check("redis://a/2", "server []; first a:6379 None None 2");
        check(
            "redis://my-cluster:7",
            "server []; first my-cluster:7 None None 0",
        );
        check(
            "redis-cluster://a",
            "cluster [a:6379]; first a:6379 None None 0",
        );
        check(
            "rediss-cluster://me:open%20@b@a:1,b,[::1]:3/",
            r#"cluster [a:1 b:6379 ::1:3]; first a:1 by TLS Some("me") Some("open @b") 0"#,
        );
        check(
            "valkey-cluster://a,b/1",
            "cluster [a:6379 b:6379]; first a:6379 None None 1",
        );
        check(
            "redis-sentinel://a/mymaster",
            "sentinels [a:26379] mymaster None None; first a:26379 None None 0",
        );
        check(
            "rediss-sentinel://:p@a:1,[::1],c/my.master/3?sentinel_user=s&sentinel_password=q%3F",
            r#"sentinels [a:1 ::1:26379 c:26379] my.master Some("s") Some("q?"); first a:1 by TLS None Some("p") 3"#,
        );
    }

    #[test]
    fn an_incomplete_url_is_an_error() {
        for url in [
            "redis-cluster://",
            "redis-cluster://a,,b",
            "redis-cluster://a:port",
            "redis-cluster://a/name",
            "redis+unix-cluster:///run/redis",
            "http-cluster://a",
            "-cluster://a",
            "redis-sentinel://",
            "redis-sentinel://a",
            "redis-sentinel://a/",
            "redis-sentinel:///mymaster",
            "redis-sentinel://a/mymaster/name",
            "redis-sentinel://a/mymaster/0/1",
            "redis-other://a",
        ] {
            assert_eq!(describe(url), None, "{url}");
        }
    }

    #[test]
    fn a_redirection_without_a_host_stays_at_the_host() {
        let node = Address {
            host: "a".into(),
            port: 1,
        };
        let check = |to, expected: Option<&str>| {
            let address = node.redirected(to).map(|it| it.to_string());
            assert_eq!(address.as_deref(), expected, "{to}");
        };
        check("b:2", Some("b:2"));
        check("::1:2", Some("::1:2"));
        check(":2", Some("a:2"));
        check("?:2", Some("a:2"));
        check("b", None);
        check("b:", None);
        check("b:70000", None);
    }
}
