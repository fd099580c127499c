//! The direction of the crates: each may depend only on those before it.

use std::collections::BTreeMap;

use cargo_metadata::{DependencyKind, MetadataCommand};

/// Who may use whom. A new crate must be entered here.
const ALLOWED: [(&str, &[&str]); 19] = [
    ("wd-decay", &[]),
    ("wd-statistics", &[]),
    ("wd-page", &[]),
    ("wd-conventions", &["wd-decay", "wd-page"]),
    ("wd-advise", &["wd-decay", "wd-page", "wd-conventions"]),
    ("wd-data", &[]),
    ("wd-evidence", &["wd-decay", "wd-statistics", "wd-page", "wd-conventions", "wd-data"]),
    ("wd-optim", &["wd-decay"]),
    ("wd-nn", &["wd-decay"]),
    ("wd-store", &["wd-decay"]),
    ("wd-train", &["wd-decay", "wd-page", "wd-optim", "wd-nn", "wd-data", "wd-store"]),
    ("wd-lab", &["wd-decay", "wd-statistics", "wd-page", "wd-store"]),
    ("wd-import", &["wd-statistics", "wd-page", "wd-data", "wd-store", "wd-lab"]),
    ("wd-pilot", &["wd-statistics", "wd-page", "wd-store", "wd-lab", "wd-import"]),
    (
        "wd-studies",
        &[
            "wd-decay",
            "wd-statistics",
            "wd-page",
            "wd-conventions",
            "wd-advise",
            "wd-evidence",
            "wd-optim",
            "wd-store",
            "wd-lab",
        ],
    ),
    ("wd-audit", &["wd-decay", "wd-page", "wd-conventions", "wd-advise", "wd-store"]),
    (
        "wd-serve",
        &[
            "wd-decay",
            "wd-statistics",
            "wd-page",
            "wd-conventions",
            "wd-advise",
            "wd-evidence",
            "wd-data",
            "wd-store",
            "wd-lab",
            "wd-import",
            "wd-pilot",
            "wd-studies",
        ],
    ),
    (
        "wd",
        &[
            "wd-decay",
            "wd-statistics",
            "wd-page",
            "wd-conventions",
            "wd-advise",
            "wd-evidence",
            "wd-data",
            "wd-optim",
            "wd-nn",
            "wd-store",
            "wd-train",
            "wd-lab",
            "wd-import",
            "wd-pilot",
            "wd-studies",
            "wd-audit",
            "wd-serve",
        ],
    ),
    (
        "wd-python",
        &[
            "wd-decay",
            "wd-page",
            "wd-conventions",
            "wd-evidence",
            "wd-optim",
            "wd-store",
            "wd-train",
            "wd-lab",
            "wd-audit",
            // The one crate that links the command: the wheel holds its code once.
            "wd",
        ],
    ),
];

#[test]
fn crates_depend_only_on_those_before_them() {
    let metadata = MetadataCommand::new()
        .no_deps()
        .other_options(["--offline".to_owned()])
        .exec()
        .expect("cargo metadata of this workspace");
    let allowed: BTreeMap<&str, &[&str]> = ALLOWED.into_iter().collect();
    assert_eq!(metadata.packages.len(), allowed.len());
    let mut arrows = 0;
    for package in &metadata.packages {
        let permitted = allowed
            .get(package.name.as_str())
            .unwrap_or_else(|| panic!("{} is in no row of ALLOWED", package.name));
        for dependency in &package.dependencies {
            let is_ours = dependency.path.is_some();
            if is_ours && dependency.kind == DependencyKind::Normal {
                arrows += 1;
                assert!(
                    permitted.contains(&dependency.name.as_str()),
                    "{} must not depend on {}",
                    package.name,
                    dependency.name
                );
            }
        }
    }
    assert!(arrows > 10, "only {arrows} dependencies were seen");
}
