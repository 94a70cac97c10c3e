use std::collections::BTreeSet;

use proc_macro2::{Ident, TokenStream, TokenTree};
use quote::quote;
use syn::punctuated::Punctuated;
use syn::visit::{self, Visit};
use syn::{Attribute, Expr, ExprPath, File, ItemMacro, ItemUse, Macro, Path, Token};

use crate::cached::cached;
use crate::method::Method;
use crate::options::right_values;
use crate::page::page;
use crate::route::route;

/// Expands one declaration of each shape. Returns the name of the shape, the input (the attribute's
/// arguments and the item) and the output.
fn samples() -> Vec<(&'static str, TokenStream, TokenStream)> {
    let minimal = (
        quote! { "/" },
        quote! { async fn home() -> &'static str { "home" } },
    );
    let typical = (
        quote! { "/posts/[id]", revalidate = 60, tags = ["posts", "post:{id}"] },
        quote! {
            pub async fn post(id: u64, db: Data<Db>) -> Result<Json<Post>, PostError> {
                todo!()
            }
        },
    );
    let everything = (
        with_every_option("GET, \"/(shop)/users/[user]/posts/[...path]\""),
        quote! {
            /// A user's post.
            #[cfg(feature = "posts")]
            #[allow(unused_variables)]
            #[inline]
            pub(crate) async fn post(
                user: u64,
                path: Vec<String>,
                db: web::Data<Db>,
            ) -> Result<web::Json<Post>, PostError> {
                todo!()
            }
        },
    );
    let module = (
        quote! { "/comments/[[...type]]", revalidate = false, body_limit = "64KB" },
        quote! {
            pub mod comments {
                use super::*;
                pub async fn GET(r#type: Option<Vec<u8>>) -> impl Responder {}
                pub async fn POST(_: HttpRequest, body: Bytes) -> HttpResponse {}
                async fn helper() {}
            }
        },
    );
    let unbound = (
        quote! { "/files/[name]/[version]" },
        quote! { async fn file(name: String, rest: Rest) -> String { name } },
    );
    let about = (
        quote! { "/about/[lang]" },
        quote! { async fn about(lang: Lang) -> Html {} },
    );
    let cached_minimal = (quote! {}, quote! { async fn cats() -> Vec<Cat> { all() } });
    let cached_everything = (
        quote! { revalidate = 5, tags = ["cats", "cat:{id}:{type}"], version = 3, skip(db) },
        quote! {
            /// A cat.
            #[cfg(feature = "cats")]
            #[allow(unused_variables)]
            #[inline]
            pub(crate) async fn cat(
                mut id: u64,
                r#type: String,
                db: web::Data<Db>,
            ) -> Result<Cat, CatError> {
                todo!()
            }
        },
    );
    [
        ("minimal", minimal, route as fn(_, _) -> _),
        ("typical", typical, route),
        ("everything", everything, route),
        ("module", module, route),
        ("unbound", unbound, route),
        ("page", about, page),
        ("cached_minimal", cached_minimal, cached),
        ("cached_everything", cached_everything, cached),
    ]
    .map(|(name, (args, item), attribute)| {
        let input = quote! { #args #item };
        (name, input, attribute(args, item))
    })
    .into()
}

/// Returns the tokens of an attribute that begins so, with every option that GET can have.
fn with_every_option(attribute: &str) -> TokenStream {
    let options = right_values().filter(|(_, scope, _)| scope.covers(Method::Get));
    let options = options.map(|(name, _, value)| format!(", {name} = {value}"));
    let attribute: String = std::iter::once(attribute.to_owned())
        .chain(options)
        .collect();
    attribute.parse().unwrap()
}

#[test]
fn each_shape_expands_to_its_snapshot() {
    for (name, _, output) in samples() {
        let file: File = syn::parse2(output).unwrap();
        insta::with_settings!({ omit_expression => true, prepend_module_to_snapshot => false }, {
            insta::assert_snapshot!(name, prettyplease::unparse(&file));
        });
    }
}

/// Counts the generated tokens of each shape, without those that the user wrote. An app compiles
/// them once for each route, so more of them must be a decision and not an accident.
#[test]
fn each_shape_generates_a_known_number_of_tokens() {
    let sizes = samples().into_iter().map(|(name, input, output)| {
        let generated = count(output) - count(input);
        format!("{name}: {generated}\n")
    });
    insta::with_settings!({ omit_expression => true, prepend_module_to_snapshot => false }, {
        insta::assert_snapshot!("sizes", sizes.collect::<String>());
    });
}

fn count(tokens: TokenStream) -> usize {
    let count = |token| match token {
        // The two delimiters count as tokens.
        TokenTree::Group(group) => 2 + count(group.stream()),
        TokenTree::Ident(_) | TokenTree::Punct(_) | TokenTree::Literal(_) => 1,
    };
    tokens.into_iter().map(count).sum()
}

/// Checks that generated code means the same whatever the user has in scope.
#[test]
fn generated_code_names_nothing_from_the_users_scope() {
    for (name, input, output) in samples() {
        let mut allowed = BTreeSet::new();
        idents(input, &mut allowed);
        let mut foreign = Foreign {
            allowed,
            found: Vec::new(),
        };
        foreign.visit_file(&syn::parse2(output).unwrap());
        assert!(foreign.found.is_empty(), "{name}: {:?}", foreign.found);
    }
}

/// The paths that lead neither into the runtime nor into `core`, and that the user did not write.
struct Foreign {
    allowed: BTreeSet<String>,
    found: Vec<String>,
}

impl Foreign {
    fn check(&mut self, is_absolute: bool, first: &Ident) {
        const LOCALS: [&str; 4] = ["call", "request", "inner", "key"];
        // The prefix of the other name that a cached function is nested under.
        const WRITTEN: &str = "__";
        let first = first.to_string();
        let is_ours = if is_absolute {
            matches!(&*first, "route_runtime" | "core")
        } else {
            LOCALS.contains(&&*first) || first.starts_with("argument") || first.starts_with(WRITTEN)
        };
        // `Self` stands in the `impl` of a handle, such as `impl cats`.
        let is_ours = is_ours || first == "Self";
        if !is_ours && !self.allowed.contains(&first) {
            self.found.push(first);
        }
    }
}

impl<'ast> Visit<'ast> for Foreign {
    fn visit_path(&mut self, path: &'ast Path) {
        self.check(path.leading_colon.is_some(), &path.segments[0].ident);
        visit::visit_path(self, path);
    }

    fn visit_expr_path(&mut self, expr: &'ast ExprPath) {
        match &expr.qself {
            // Of `<T>::NAME`, only the type is looked up in a scope.
            Some(qself) if qself.position == 0 => self.visit_qself(qself),
            _ => visit::visit_expr_path(self, expr),
        }
    }

    fn visit_item_use(&mut self, item: &'ast ItemUse) {
        match &item.tree {
            syn::UseTree::Path(path) => self.check(item.leading_colon.is_some(), &path.ident),
            _ => self.found.push("use".into()),
        }
    }

    fn visit_macro(&mut self, call: &'ast Macro) {
        self.visit_path(&call.path);
        let parser = Punctuated::<Expr, Token![,]>::parse_terminated;
        for argument in call.parse_body_with(parser).unwrap() {
            self.visit_expr(&argument);
        }
    }

    fn visit_item_macro(&mut self, item: &'ast ItemMacro) {
        // A definition, `macro_rules! name`, does not refer to anything.
        if item.ident.is_none() {
            self.visit_macro(&item.mac);
        }
    }

    fn visit_attribute(&mut self, _: &'ast Attribute) {}
}

fn idents(tokens: TokenStream, out: &mut BTreeSet<String>) {
    for token in tokens {
        match token {
            TokenTree::Group(group) => idents(group.stream(), out),
            TokenTree::Ident(ident) => {
                out.insert(ident.to_string());
            }
            // The parameters in a pattern become arguments.
            TokenTree::Literal(literal) => {
                let text = literal.to_string();
                out.extend(text.split(|c: char| !c.is_alphanumeric()).map(Into::into));
            }
            TokenTree::Punct(_) => {}
        }
    }
}
