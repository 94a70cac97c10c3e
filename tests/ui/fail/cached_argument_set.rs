use std::collections::{BTreeSet, HashMap, HashSet};

use route_runtime::cached;

type Ids = HashSet<u64>;

#[cached]
async fn cats(ids: HashSet<u64>, map: HashMap<u64, u64>) -> usize {
    ids.len() + map.len()
}

/// A type is judged as what it is, not as it is spelt.
#[cached]
async fn dogs(ids: Ids, more: BTreeSet<u64>) -> usize {
    ids.len() + more.len()
}

fn main() {
    let _ = cats(HashSet::new(), HashMap::new());
    let _ = dogs(HashSet::new(), BTreeSet::new());
}
