//! What makes two findings the same one, from one audit to the next.

use crate::finding::Finding;

/// Identifier of a finding: its rule, the end of its path and its tensors, without the numbers of
/// its message, so that a retrained model has the findings of its predecessor.
pub(super) fn fingerprint(finding: &Finding) -> String {
    let file = finding.place.file.file_name().unwrap_or_default().to_string_lossy();
    // FNV-1a, 64 bits: the same on every machine and in every version.
    let mut hash: u64 = 0xcbf2_9ce4_8422_2325;
    let parts = [finding.rule, &file].into_iter();
    for part in parts.chain(finding.tensors.iter().map(String::as_str)) {
        for byte in part.bytes().chain([0]) {
            hash = (hash ^ u64::from(byte)).wrapping_mul(0x0000_0100_0000_01b3);
        }
    }
    format!("{hash:016x}")
}
