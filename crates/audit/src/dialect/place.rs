//! Where in the text a key stands, and which rules the text asks to ignore.

/// The line, from 1, on which a path of keys ends: each part is sought from the line of the part
/// before it, so that `optimizer.weight_decay` is not the `weight_decay` of another section.
pub(super) fn line_of_key(text: &str, path: &str) -> Option<usize> {
    let lines: Vec<&str> = text.lines().collect();
    let mut from = 0;
    let mut found = None;
    for part in path.split('.') {
        // Indices of lists are no text.
        if part.bytes().all(|byte| byte.is_ascii_digit()) {
            continue;
        }
        let next = lines.iter().skip(from).position(|line| has_key(line, part));
        // A parent may be implied (`optimizer.weight_decay` on one line of TOML): seek on.
        if let Some(next) = next {
            from += next;
            found = Some((part, from));
        }
    }
    let (part, line) = found?;
    (path.rsplit('.').next() == Some(part)).then_some(line + 1)
}

/// The last line on which Python assigns the name: that one counts.
pub(super) fn last_line_of_name(text: &str, name: &str) -> Option<usize> {
    let lines = text.lines().enumerate();
    let of_name = lines.filter(|(_, line)| {
        line.strip_prefix(name).is_some_and(|rest| rest.trim_start().starts_with(['=', ':']))
    });
    of_name.last().map(|(line, _)| line + 1)
}

/// A remark where a key stands more than once in its table: trainers take the last.
pub(super) fn repeated(text: &str, path: &str) -> Option<String> {
    // Keys of nested tables may belong to others of the same name.
    if path.contains('.') {
        return None;
    }
    let sets = |line: &str| {
        let rest = line.strip_prefix(path).or_else(|| line.split(&format!("\"{path}\"")).nth(1));
        rest.is_some_and(|rest| rest.trim_start().starts_with([':', '=']))
    };
    let lines = text.lines().enumerate().filter(|(_, line)| sets(line));
    let lines: Vec<String> = lines.map(|(line, _)| (line + 1).to_string()).collect();
    let (last, others) = lines.split_last().filter(|(_, others)| !others.is_empty())?;
    Some(format!("`{path}` stands on lines {} and {last}: the last one counts", others.join(", ")))
}

/// The last line that sets a key of no table.
pub(super) fn last_line_of_key(text: &str, key: &str) -> Option<usize> {
    let lines = text.lines().enumerate().filter(|(_, line)| line.starts_with(key));
    lines.filter(|(_, line)| has_key(line, key)).last().map(|(line, _)| line + 1)
}

/// Whether a line sets a key: the word stands there alone, and no comment comes before it.
fn has_key(line: &str, key: &str) -> bool {
    let code = line.split('#').next().unwrap_or_default();
    let flag = key.replace('_', "-");
    let is_word = |c: char| c.is_alphanumeric() || c == '_' || c == '-';
    for key in [key, flag.as_str()] {
        for (start, _) in code.match_indices(key) {
            let before = code.get(..start).unwrap_or_default();
            let behind = code.get(start + key.len()..).unwrap_or_default();
            let is_flag = before.ends_with("--");
            if (is_flag || !before.ends_with(is_word)) && !behind.starts_with(is_word) {
                return true;
            }
        }
    }
    false
}

/// Identifiers of rules in comments of the form `# wd: ignore[S01]` or `# wd: ignore[S01, D04]`.
pub(super) fn ignored_rules(text: &str) -> Vec<String> {
    let mut rules: Vec<String> = Vec::new();
    for line in text.lines() {
        let Some((_, comment)) = line.split_once('#') else { continue };
        for (_, behind) in comment.match_indices("wd:").filter_map(|(start, word)| {
            comment.get(start + word.len()..).map(|behind| (start, behind))
        }) {
            let list = behind.trim_start().strip_prefix("ignore[");
            let Some((list, _)) = list.and_then(|list| list.split_once(']')) else { continue };
            for rule in list.split(',').map(str::trim).filter(|rule| !rule.is_empty()) {
                let rule = rule.to_ascii_uppercase();
                if !rules.contains(&rule) {
                    rules.push(rule);
                }
            }
        }
    }
    rules
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_key_is_found_in_its_own_section() {
        let text = "scheduler:\n  weight_decay: 1\noptimizer:\n  # weight_decay: 2\n  lr: 1\n  \
                    weight_decay: 0.1\n";
        assert_eq!(line_of_key(text, "optimizer.weight_decay"), Some(6));
        assert_eq!(line_of_key(text, "weight_decay"), Some(2));
        assert_eq!(line_of_key(text, "optimizer.wd"), None);
        assert_eq!(line_of_key("train \\\n --weight-decay 0.1", "weight_decay"), Some(2));
        assert_eq!(line_of_key("{\"a\": {\"weight_decay\": 0}}", "a.weight_decay"), Some(1));
        assert_eq!(last_line_of_name("wd = 1\nwd_x = 2\nwd = 3\n", "wd"), Some(3));
        assert_eq!(last_line_of_key("wd: 1\nwd_x: 2\nwd: 3\n", "wd"), Some(3));
        assert_eq!(repeated("wd: 1\nwd_x: 2\n", "wd"), None);
        assert!(repeated("wd: 1\nwd: 3\n", "wd").unwrap().contains("lines 1 and 2"));
    }

    #[test]
    fn rules_are_ignored_by_comments_alone() {
        let text =
            "a: 1 # wd: ignore[S01]\nb: 2 # why not; wd: ignore[S01, d04]\nc: 'wd: ignore[T01]'";
        assert_eq!(ignored_rules(text), ["S01", "D04"]);
    }
}
