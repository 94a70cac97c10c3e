//! The page of the guide that shows the configurations.

#[test]
fn the_guide_shows_the_configurations_that_are_tested() {
    let page = include_str!("../../route-runtime/docs/guide/proxies.md");
    for configuration in [
        include_str!("nginx.conf"),
        include_str!("default.vcl"),
        include_str!("haproxy.cfg"),
        include_str!("squid.conf"),
        include_str!("records.config"),
        include_str!("remap.config"),
    ] {
        assert!(page.contains(configuration), "{configuration}");
    }
}
