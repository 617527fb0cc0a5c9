//! What a test process has used, for figures.
/// CPU seconds of this process.
pub fn cpu() -> f64 {
    let stat = std::fs::read_to_string("/proc/self/stat").expect("procfs");
    let fields: Vec<&str> = stat[stat.rfind(')').expect("name") + 2..].split(' ').collect();
    (11..=12).map(|i| fields[i].parse::<f64>().expect("number") / 100.0).sum()
}

/// Resident megabytes.
pub fn resident() -> u64 {
    let status = std::fs::read_to_string("/proc/self/status").expect("procfs");
    let line = status.lines().find(|line| line.starts_with("VmRSS")).expect("field");
    line.split_whitespace().nth(1).expect("value").parse::<u64>().expect("number") / 1024
}
