//! Debian's armhf packages, fetched on a machine of another architecture and
//! without touching its own package lists: a private apt root with Debian's
//! signature check on, cached under `target/unilk/debian`.
//!
//! Source: facts/qemu-plugin.md ("What has already run this way").

use crate::{paths, shell, ui};
use anyhow::{Context, Result, bail, ensure};
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

/// Releases whose kernels the demo and the tests boot, oldest first: 5.10,
/// 6.1 and 6.12.
pub const RELEASES: [&str; 3] = ["bullseye", "bookworm", "trixie"];
/// Set to anything, it keeps Debian out of it: the test kernel takes over.
const FORBID: &str = "UNILK_NO_DEBIAN";
const FALLBACK_RELEASE: &str = "bookworm";
const KEYRINGS: [&str; 2] = [
    "/usr/share/keyrings/debian-archive-keyring.gpg",
    "/usr/share/keyrings/debian-archive-keyring.pgp",
];

/// How the releases' kernels find the place that they unpack themselves to, as
/// the bootloader's own judgement names it: 5.10 masks the PC, later ones ask
/// the device tree.
const PLACEMENTS: [&str; 3] = ["masked", "tree", "tree"];

/// A stock kernel of Debian.
#[derive(Clone, Debug)]
pub struct Kernel {
    /// Release that it comes from.
    pub release: String,
    /// Version, e.g. `6.1.0-50-armmp`.
    pub version: String,
    /// The zImage.
    pub zimage: PathBuf,
}

/// The release whose kernel is taken if nobody asks for another: the
/// machine's own if we know it.
pub fn default_release() -> String {
    os_release("VERSION_CODENAME")
        .filter(|name| RELEASES.contains(&name.as_str()))
        .unwrap_or_else(|| FALLBACK_RELEASE.to_owned())
}

/// Debian's `linux-image-armmp` of `release`, from the cache or the mirror.
pub fn kernel(release: &str) -> Result<Kernel> {
    ensure!(
        RELEASES.contains(&release),
        "unknown release {release}; known: {}",
        RELEASES.join(", ")
    );
    allowed()?;
    let cache = cache(release).join("kernel");
    if let Some(kernel) = cached_kernel(release, &cache) {
        return Ok(kernel);
    }
    let step = ui::step(format!("Debian kernel for armhf ({release})"));
    let apt = Apt::open(release, &step)?;
    let package = apt.dependency("linux-image-armmp", "linux-image-")?;
    step.at(&format!("downloading {package}"));
    apt.unpack(&package, "*/boot/vmlinuz-*", &cache)?;
    let kernel = cached_kernel(release, &cache)
        .with_context(|| format!("package {package} holds no boot/vmlinuz"))?;
    step.done(&kernel.version);
    Ok(kernel)
}

/// Where boot tests find the kernel of `release`.
pub fn kernel_for_tests(release: &str) -> PathBuf {
    cache(release).join("vmlinuz")
}

/// The kernels that lie ready for tests, as `UNILK_ZIMAGES` lists them.
pub fn zimages_for_tests() -> String {
    RELEASES
        .iter()
        .zip(PLACEMENTS)
        .map(|(release, placement)| (placement, kernel_for_tests(release)))
        .filter(|(_, path)| path.is_file())
        .map(|(placement, path)| format!("{placement}:0x208000={}", path.display()))
        .collect::<Vec<_>>()
        .join(",")
}

/// Debian's static busybox for armhf.
pub fn busybox() -> Result<PathBuf> {
    allowed()?;
    let release = default_release();
    let cache = cache(&release).join("busybox");
    let find = || {
        ["bin/busybox", "usr/bin/busybox"]
            .map(|path| cache.join(path))
            .into_iter()
            .find(|path| path.is_file())
    };
    if let Some(path) = find() {
        return Ok(path);
    }
    let step = ui::step("Debian busybox for armhf");
    let apt = Apt::open(&release, &step)?;
    apt.unpack("busybox-static", "*/bin/busybox", &cache)?;
    let path = find().context("package busybox-static holds no busybox")?;
    step.done("unpacked");
    Ok(path)
}

fn allowed() -> Result<()> {
    ensure!(
        std::env::var_os(FORBID).is_none(),
        "{FORBID} is set: nothing of Debian's is used"
    );
    Ok(())
}

fn cache(release: &str) -> PathBuf {
    paths::work().join("debian").join(release)
}

fn cached_kernel(release: &str, cache: &Path) -> Option<Kernel> {
    for entry in fs::read_dir(cache.join("boot")).ok()?.flatten() {
        let name = entry.file_name().into_string().ok()?;
        if let Some(version) = name.strip_prefix("vmlinuz-") {
            return Some(Kernel {
                release: release.to_owned(),
                version: version.to_owned(),
                zimage: entry.path(),
            });
        }
    }
    None
}

/// A private apt root for one release, with its package lists fetched.
struct Apt {
    root: PathBuf,
}

impl Apt {
    fn open(release: &str, step: &ui::Step) -> Result<Self> {
        ensure!(
            shell::find("apt-get").is_some() && shell::find("dpkg-deb").is_some(),
            "apt is not installed: this is no Debian machine"
        );
        let keyring = KEYRINGS
            .iter()
            .find(|path| Path::new(path).exists())
            .context("Debian's signing keys are not installed (debian-archive-keyring)")?;
        let apt = Self {
            root: cache(release).join("apt"),
        };
        for directory in [
            "state/lists/partial",
            "cache/archives/partial",
            "sources",
            "download",
        ] {
            fs::create_dir_all(apt.root.join(directory)).context("cannot create the apt root")?;
        }
        fs::write(apt.root.join("state/status"), "")?;
        let source = format!("deb [signed-by={keyring}] {} {release} main\n", mirror()?);
        fs::write(apt.root.join("sources/debian.list"), source)?;
        step.at("fetching the package list");
        shell::quiet(apt.command("apt-get").arg("update"))
            .with_context(|| format!("Debian's package list for {release} cannot be had"))?;
        Ok(apt)
    }

    /// An apt program that sees the private root and nothing of the machine's
    /// own lists; proxies and the like still apply.
    fn command(&self, program: &str) -> Command {
        let at = |path: &str| self.root.join(path).display().to_string();
        let options = [
            "APT::Architecture=armhf".to_owned(),
            "APT::Architectures=armhf".to_owned(),
            format!("Dir::State={}", at("state")),
            format!("Dir::State::Lists={}", at("state/lists")),
            format!("Dir::State::status={}", at("state/status")),
            format!("Dir::Cache={}", at("cache")),
            "Dir::Etc::SourceList=/dev/null".to_owned(),
            format!("Dir::Etc::SourceParts={}", at("sources")),
            "Acquire::Languages=none".to_owned(),
            // Descriptions for software centres, if the machine fetches them.
            "Acquire::IndexTargets::deb::DEP-11::DefaultEnabled=false".to_owned(),
            // The build directory need not be readable for apt's own user.
            "APT::Sandbox::User=".to_owned(),
        ];
        let mut command = Command::new(program);
        command.current_dir(self.root.join("download"));
        for option in options {
            command.args(["-o", &option]);
        }
        command
    }

    /// The first dependency of `package` whose name starts with `prefix`: the
    /// versioned package behind a meta-package.
    fn dependency(&self, package: &str, prefix: &str) -> Result<String> {
        let text = shell::quiet(self.command("apt-cache").args(["depends", package]))?;
        text.lines()
            .filter_map(|line| line.trim().strip_prefix("Depends: "))
            .find(|name| name.starts_with(prefix))
            .map(str::to_owned)
            .with_context(|| format!("package {package} depends on no {prefix}*"))
    }

    /// Downloads `package` and unpacks those of its files whose path fits
    /// `pattern` as `destination`, in one step as seen from outside: an
    /// interrupted run leaves no half a cache.
    fn unpack(&self, package: &str, pattern: &str, destination: &Path) -> Result<()> {
        let download = self.root.join("download");
        for entry in fs::read_dir(&download)?.flatten() {
            fs::remove_file(entry.path())?;
        }
        shell::quiet(self.command("apt-get").args(["download", package]))
            .with_context(|| format!("cannot download {package}"))?;
        let Some(archive) = fs::read_dir(&download)?.flatten().next() else {
            bail!("apt downloaded nothing for {package}");
        };
        let unpacked = self.root.join("unpacked");
        if unpacked.exists() {
            fs::remove_dir_all(&unpacked)?;
        }
        fs::create_dir_all(&unpacked)?;
        let files = archive.path().with_extension("tar");
        shell::quiet(
            Command::new("sh")
                .args(["-c", "dpkg-deb --fsys-tarfile \"$1\" > \"$2\"", "sh"])
                .args([archive.path(), files.clone()]),
        )?;
        shell::quiet(
            Command::new("tar")
                .args(["--extract", "--wildcards", "--file"])
                .arg(&files)
                .arg("--directory")
                .arg(&unpacked)
                .arg(pattern),
        )?;
        fs::remove_file(&files)?;
        if destination.exists() {
            fs::remove_dir_all(destination)?;
        }
        fs::rename(&unpacked, destination).context("cannot move the package into the cache")?;
        fs::remove_file(archive.path()).context("cannot remove the archive")
    }
}

/// The Debian mirror that the machine itself uses: a machine that is set up for
/// another distribution has none, and the test kernel takes over.
fn mirror() -> Result<String> {
    let mut files = vec![PathBuf::from("/etc/apt/sources.list")];
    if let Ok(entries) = fs::read_dir("/etc/apt/sources.list.d") {
        files.extend(entries.flatten().map(|entry| entry.path()));
    }
    files
        .iter()
        .filter(|path| {
            path.extension()
                .is_some_and(|extension| extension == "list" || extension == "sources")
        })
        .filter_map(|path| fs::read_to_string(path).ok())
        .find_map(|text| mirror_in(&text))
        .context("no source of apt names a Debian mirror")
}

/// The first address in a sources file, of either format, that is a mirror of
/// the Debian archive proper.
fn mirror_in(sources: &str) -> Option<String> {
    sources
        .lines()
        .map(str::trim)
        .filter(|line| !line.starts_with('#'))
        .flat_map(str::split_whitespace)
        .find(|word| {
            let is_address = word.starts_with("http://") || word.starts_with("https://");
            is_address && word.trim_end_matches('/').ends_with("/debian")
        })
        .map(|word| word.trim_end_matches('/').to_owned())
}

fn os_release(key: &str) -> Option<String> {
    let text = fs::read_to_string("/etc/os-release").ok()?;
    text.lines()
        .find_map(|line| line.strip_prefix(key)?.strip_prefix('='))
        .map(|value| value.trim_matches('"').to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_machines_own_mirror_is_found_in_both_formats() {
        // Any host will do; the archive proper is known by its path.
        let at = |path: &str| ["http:", "", "mirror.example", path].join("/");
        let archive = at("debian");
        let old = format!(
            "# deb {archive}/old x main\ndeb {} bookworm main\ndeb [arch=amd64] {archive}/ bookworm main\n",
            at("apt"),
        );
        assert_eq!(mirror_in(&old), Some(archive.clone()));
        let new = format!("Types: deb\nURIs: {archive}\nSuites: bookworm\n");
        assert_eq!(mirror_in(&new), Some(archive.clone()));
        let security = format!("URIs: {archive}-security\n");
        assert_eq!(mirror_in(&security), None);
    }
}
