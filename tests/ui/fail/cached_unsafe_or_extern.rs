use route_runtime::cached;

#[cached]
async unsafe fn cats() -> String {
    todo!()
}

#[cached]
async extern "C" fn dogs() -> String {
    todo!()
}

fn main() {
    let _ = (unsafe { cats() }, dogs());
}
