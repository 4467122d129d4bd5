//! Hashes in the PHC string format, as argon2's own `PasswordHasher` and `PasswordVerifier` make and check them, but in
//! memory of the caller's.

use argon2::password_hash::phc::{Output, ParamsString, PasswordHash, Salt};
use argon2::password_hash::{Error, Result};
use argon2::{Algorithm, Argon2, Params, Version};

use super::threads::Memory;

/// OWASP's minimum for Argon2id: 19 MiB, two passes, one lane.
pub(super) const MEMORY_KIB: u32 = 19 * 1024;
pub(super) const PASSES: u32 = 2;

pub(super) fn hash(memory: &mut Memory, password: &[u8], salt: &[u8]) -> Result<String> {
    let params = Params::new(MEMORY_KIB, PASSES, 1, Some(Params::DEFAULT_OUTPUT_LEN))?;
    let hash = PasswordHash {
        algorithm: Algorithm::Argon2id.ident(),
        version: Some(Version::V0x13.into()),
        params: ParamsString::try_from(&params)?,
        salt: Some(Salt::new(salt)?),
        hash: Some(output(
            memory,
            Algorithm::Argon2id,
            Version::V0x13,
            params,
            password,
            salt,
        )?),
    };
    Ok(hash.to_string())
}

/// Whether the hash is the password's; `None` when it is no hash that Argon2 can check.
pub(super) fn verify(memory: &mut Memory, password: &[u8], hash: &str) -> Option<bool> {
    let hash = PasswordHash::new(hash).ok()?;
    let (salt, expected) = (hash.salt.as_ref()?, hash.hash.as_ref()?);
    let algorithm = Algorithm::try_from(hash.algorithm.as_str()).ok()?;
    let version = hash
        .version
        .map_or(Ok(Version::default()), Version::try_from)
        .ok()?;
    let params = Params::try_from(&hash).ok()?;
    let computed = output(memory, algorithm, version, params, password, salt).ok()?;
    // Outputs compare in constant time.
    Some(computed == *expected)
}

fn output(
    memory: &mut Memory,
    algorithm: Algorithm,
    version: Version,
    params: Params,
    password: &[u8],
    salt: &[u8],
) -> Result<Output> {
    let length = params.output_len().unwrap_or(Params::DEFAULT_OUTPUT_LEN);
    let blocks = params.block_count();
    let argon2 = Argon2::new(algorithm, version, params);
    let mut bytes = [0; Output::MAX_LENGTH];
    let bytes = bytes.get_mut(..length).ok_or(Error::OutputSize)?;
    memory.with(blocks, |blocks| {
        argon2.hash_password_into_with_memory(password, salt, bytes, blocks)
    })?;
    Ok(Output::new(bytes)?)
}
