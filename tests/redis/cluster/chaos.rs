//! A test of all faults of the server and the network, one after the other, while clients send
//! requests and instances invalidate.

use super::*;
use crate::proxy::Proxy;

/// A fault that lasts for a while.
#[derive(Clone, Copy, Debug)]
enum Fault {
    None,
    Killed,
    Stopped,
    Emptied,
    Cut,
}

const FAULTS: [Fault; 9] = [
    Fault::Killed,
    Fault::Cut,
    Fault::Emptied,
    Fault::Stopped,
    Fault::Killed,
    Fault::None,
    Fault::Emptied,
    Fault::Cut,
    Fault::Killed,
];

impl Cluster {
    /// Does what [`change`](Self::change) does, but may fail: then nothing is promised.
    fn try_change(&mut self, who: usize, truth: u32) {
        self.upstream.set_truth(truth);
        let response = self.instances[who].invalidate("items");
        if response.status == 200 {
            self.invalidated.push((Instant::now(), truth));
        } else {
            assert!(response.status >= 500, "{response:?}");
        }
    }
}

#[test]
fn no_fault_fails_a_request_or_makes_a_response_older_than_promised() {
    let mut cluster = Cluster::empty();
    let proxy = Proxy::to(&cluster.redis);
    let url = proxy.url();
    cluster.add(&[]);
    cluster.add(&[("ROUTE_CACHE_URL", &url)]);
    cluster.add(&[]);
    let asked = [paths("item", 8), vec!["/home".into()]].concat();
    let load = Load::on(&cluster, &asked);
    let mut truth = 0;
    let change = |cluster: &mut Cluster, truth: &mut u32, times: u64| {
        for time in 0..times {
            *truth += 1;
            cluster.try_change(*truth as usize % 3, *truth);
            // The pauses add up to less than the bound, to about the bound, and to more.
            thread::sleep(Duration::from_millis(time * 150));
        }
    };
    for fault in FAULTS {
        match fault {
            Fault::None => {}
            Fault::Killed => cluster.redis.kill(),
            Fault::Stopped => cluster.redis.signal("STOP"),
            Fault::Emptied => drop(cluster.redis.ask(&["FLUSHALL"])),
            Fault::Cut => proxy.cut(true),
        }
        change(&mut cluster, &mut truth, 4);
        match fault {
            Fault::None | Fault::Emptied => {}
            Fault::Killed => cluster.redis.restart(),
            Fault::Stopped => cluster.redis.signal("CONT"),
            Fault::Cut => proxy.cut(false),
        }
        change(&mut cluster, &mut truth, 6);
    }
    // When the server and the network are well again, every instance is.
    cluster.await_all("all are back", |it| !it.is_unverified("/home"));
    cluster.change(0, truth + 1);
    for path in &asked {
        let is_new = |it: &Instance| it.rendered(path).truth == truth + 1;
        cluster.await_all("all have what is new", is_new);
    }
    thread::sleep(BOUND + BOUND / 2);
    let seen = load.end();
    cluster.keeps_the_promise(&seen);
    let marked = seen.iter().filter(|it| it.is_unverified()).count();
    println!(
        "{} answers, {marked} of them marked; {} of {truth} changes recorded",
        seen.len(),
        cluster.invalidated.len() - 1,
    );
    assert!(cluster.invalidated.len() > 20 && marked < seen.len() / 2);
}
