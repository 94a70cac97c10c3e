//! Functions as middleware, as `actix_web::middleware::from_fn` takes them.

use actix_web::body::{BoxBody, MessageBody};
use actix_web::dev::{ServiceRequest, ServiceResponse};
use actix_web::middleware::{Next, from_fn};
use actix_web::{Error, FromRequest};

use super::{ByFunction, ByTransform, Endpoint, Middleware, MiddlewareName, Wrapped};

macro_rules! function {
    ($($extractor:ident),*) => {
        #[diagnostic::do_not_recommend]
        impl<F, Fut, B, $($extractor),*> Middleware<ByFunction<($($extractor,)*)>> for F
        where
            F: Fn($($extractor,)* ServiceRequest, Next<BoxBody>) -> Fut + 'static,
            Fut: Future<Output = Result<ServiceResponse<B>, Error>> + 'static,
            B: MessageBody + 'static,
            $($extractor: FromRequest + 'static,)*
        {
            fn wrap(self, inner: Endpoint) -> Wrapped {
                Middleware::<ByTransform>::wrap(from_fn::<F, ($($extractor,)*)>(self), inner)
            }

            fn name() -> MiddlewareName {
                MiddlewareName::of_function::<F>()
            }
        }
    };
}

function!();
function!(A);
function!(A, C);
function!(A, C, D);
function!(A, C, D, E);
function!(A, C, D, E, G);
function!(A, C, D, E, G, H);
function!(A, C, D, E, G, H, I);
function!(A, C, D, E, G, H, I, J);
function!(A, C, D, E, G, H, I, J, K);
