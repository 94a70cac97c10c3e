//! The proxies that are tested: how each is started with the configuration of the guide.
//!
//! Each gets a few lines more here, which keep its files in a directory of the test.

use std::net::SocketAddr;

use crate::proxy::{Place, Proxy};

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Software {
    Nginx,
    Varnish,
    Haproxy,
    Squid,
    TrafficServer,
}

impl Software {
    pub(crate) const ALL: [Self; 5] = [
        Self::Nginx,
        Self::Varnish,
        Self::Haproxy,
        Self::Squid,
        Self::TrafficServer,
    ];

    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::Nginx => "nginx",
            Self::Varnish => "varnish",
            Self::Haproxy => "haproxy",
            Self::Squid => "squid",
            Self::TrafficServer => "trafficserver",
        }
    }

    /// Starts a proxy in front of the app or the proxy at this address.
    pub(crate) fn start(self, origin: SocketAddr) -> Proxy {
        let name = self.name();
        let place = Place::new(name, origin);
        match self {
            Self::Nginx => nginx(name, place),
            Self::Varnish => varnish(name, place),
            Self::Haproxy => haproxy(name, place),
            Self::Squid => squid(name, place),
            Self::TrafficServer => traffic_server(name, place),
        }
    }
}

fn nginx(name: &'static str, place: Place) -> Proxy {
    let cache = place.path("cache");
    let app = place.adapted(include_str!("nginx.conf"));
    let app = place.write("app.conf", &app.replace("/var/cache/nginx/app", &cache));
    // Every folder that nginx writes to, whether or not it is used.
    let folders: String = ["client_body", "proxy", "fastcgi", "uwsgi", "scgi"]
        .map(|kind| format!("{kind}_temp_path {};\n", place.path(kind)))
        .concat();
    let main = format!(
        "daemon off;\npid {};\nerror_log stderr;\nevents {{}}\n\
         http {{\naccess_log off;\n{folders}include {app};\n}}\n",
        place.path("pid")
    );
    let main = place.write("nginx.conf", &main);
    place.start(name, "nginx", &["-e", "stderr", "-c", &main])
}

fn varnish(name: &'static str, place: Place) -> Proxy {
    let program = place.adapted(include_str!("default.vcl"));
    let program = place.write("default.vcl", &program);
    let (address, folder) = (place.address().to_string(), place.path("work"));
    let arguments = [
        "-F",
        "-f",
        &program,
        "-a",
        &address,
        "-n",
        &folder,
        "-s",
        "malloc,32m",
        "-j",
        "none",
    ];
    place.start(name, "varnishd", &arguments)
}

fn haproxy(name: &'static str, place: Place) -> Proxy {
    let configuration = place.adapted(include_str!("haproxy.cfg"));
    let configuration = place.write("haproxy.cfg", &configuration);
    place.start(name, "haproxy", &["-db", "-f", &configuration])
}

fn squid(name: &'static str, place: Place) -> Proxy {
    let configuration = place.adapted(include_str!("squid.conf"));
    let here =
        "pid_filename none\naccess_log none\ncache_log /dev/null\nshutdown_lifetime 0 seconds\n";
    let configuration = place.write("squid.conf", &(configuration + here));
    place.start(name, "squid", &["-N", "-d", "1", "-f", &configuration])
}

fn traffic_server(name: &'static str, place: Place) -> Proxy {
    let records = place.adapted(include_str!("records.config"));
    let here = "CONFIG proxy.config.admin.user_id STRING #-1\n\
                CONFIG proxy.config.log.logging_enabled INT 0\n\
                CONFIG proxy.config.http.wait_for_cache INT 1\n";
    place.write("records.config", &(records + here));
    place.write("remap.config", &place.adapted(include_str!("remap.config")));
    let root = place.path("");
    place.write("storage.config", &format!("{root} 64M\n"));
    let everybody = "ip_allow:\n  - {apply: in, ip_addrs: 0/0, action: allow, methods: ALL}\n";
    place.write("ip_allow.yaml", everybody);
    let folders: String = [
        ("bindir", "/usr/bin"),
        ("libdir", "/usr/lib/trafficserver"),
        ("libexecdir", "/usr/lib/trafficserver/modules"),
        ("prefix", &root),
        ("exec_prefix", &root),
        ("sbindir", &root),
        ("sysconfdir", &root),
        ("datadir", &root),
        ("includedir", &root),
        ("localstatedir", &root),
        ("runtimedir", &root),
        ("logdir", &root),
        ("cachedir", &root),
    ]
    .map(|(name, path)| format!("{name}: {path}\n"))
    .concat();
    let run_root = place.write("runroot.yaml", &folders);
    place.start(name, "traffic_server", &[&format!("--run-root={run_root}")])
}
