use super::*;

/// One option by itself.
fn read(tokens: proc_macro2::TokenStream) -> Result<Options, String> {
    let mut errors = Errors::default();
    let options = check(vec![syn::parse2(tokens).unwrap()], false, &mut errors);
    errors.finish(Some(options)).map_err(|e| e.to_string())
}

#[test]
fn reads_bytes() {
    let check = |value: &str, expected: Option<u64>| {
        let tokens = format!("body_limit = {value}").parse().unwrap();
        let found = read(tokens).ok().and_then(|o| o.body_limit);
        assert_eq!(found.map(|given| given.value), expected, "{value}");
    };
    check("1000", Some(1000));
    check("\"64KB\"", Some(64 << 10));
    check("\"1 mb\"", Some(1 << 20));
    check("\"2GB\"", Some(2 << 30));
    check("\"12B\"", Some(12));
    check("\"12\"", None);
    check("\"KB\"", None);
    check("\"99999999999999GB\"", None);
    check("-1", None);
    check("1u8", None);
}

#[test]
fn every_option_is_reported_as_given() {
    let samples = [
        "dynamic = \"auto\"",
        "revalidate = 1",
        "expire = 2",
        "static_params = slugs",
        "dynamic_params = true",
        "fetch_cache = \"auto\"",
        "tags = [\"a\"]",
        "cdn = true",
        "wrap = auth",
        "max_duration = 1",
        "body_limit = 1",
    ];
    assert_eq!(samples.len(), TABLE.len());
    for (rule, sample) in TABLE.iter().zip(samples) {
        let options = read(sample.parse().unwrap()).unwrap();
        let [(name, scope)] = options.names.as_slice() else {
            panic!("one option: {sample}")
        };
        assert_eq!((name.to_string().as_str(), *scope), (rule.name, rule.scope));
    }
}

#[test]
fn a_number_beside_expire_that_cannot_be_read_is_one_mistake() {
    let args = ["revalidate = \"10\"", "expire = 60"];
    let args = args.map(|arg| syn::parse_str(arg).unwrap());
    let mut errors = Errors::default();
    check(args.into(), true, &mut errors);
    let error = errors.finish(Some(())).unwrap_err();
    assert_eq!(error.into_iter().count(), 1);
}
