//! HTTPS for trying things out: a certificate for this machine, made at start and stored nowhere.

use std::error::Error;
use std::sync::Arc;

use rcgen::{CertifiedKey, generate_simple_self_signed};
use rustls::ServerConfig;
use rustls::crypto::aws_lc_rs;
use rustls::pki_types::{CertificateDer, PrivateKeyDer};

/// The configuration that a server needs, and the certificate that its clients have to trust.
pub(crate) struct SelfSigned {
    pub(crate) config: ServerConfig,
    #[cfg_attr(
        not(test),
        expect(dead_code, reason = "`curl --insecure` trusts anything")
    )]
    pub(crate) certificate: CertificateDer<'static>,
}

pub(crate) fn self_signed() -> Result<SelfSigned, Box<dyn Error>> {
    let names = ["localhost", "127.0.0.1"].map(String::from);
    let CertifiedKey { cert, signing_key } = generate_simple_self_signed(names)?;
    let certificate = cert.der().clone();
    let key = PrivateKeyDer::try_from(signing_key.serialize_der())?;
    let config = ServerConfig::builder_with_provider(Arc::new(aws_lc_rs::default_provider()))
        .with_safe_default_protocol_versions()?
        .with_no_client_auth()
        .with_single_cert(vec![certificate.clone()], key)?;
    Ok(SelfSigned {
        config,
        certificate,
    })
}
