# shellcheck shell=bash
# Reports of this node's progress to the bootstrap server. To be sourced after common.sh.

exk8s_now() { date -u +%Y-%m-%dT%H:%M:%SZ; }

# Takes out of a log whatever may be a secret: PEM blocks, bearer tokens, and long runs of the
# characters that keys and tokens are written in.
exk8s_redact() {
    sed -E \
        -e '/-----BEGIN/,/-----END/c [redacted]' \
        -e 's/([Bb]earer )[^ "]+/\1[redacted]/g' \
        -e 's/[A-Za-z0-9+_=-]{32,}/[redacted]/g'
}

# exk8s_report PHASE STATE STARTED [FINISHED] [MESSAGE] [LOG] [HEALTH]: posts one report; HEALTH is a
# JSON object. Fails when the report did not arrive, which should never stop a node.
exk8s_report() {
    local phase="$1" state="$2" started="$3" finished="${4:-}" message="${5:-}" log="${6:-}"
    local health="${7:-null}" tail="" body
    if [[ -n "${log}" && -f "${log}" ]]; then
        # Redaction first: a PEM block cut in half by the tail would not be recognised.
        tail="$(exk8s_redact <"${log}" | tail -n 20 | cut -c 1-500)"
    fi
    body="$(
        jq -n --slurpfile bundle "${EXK8S_RUNTIME}/bundle.json" \
            --arg phase "${phase}" --arg state "${state}" --arg started "${started}" \
            --arg finished "${finished}" --arg message "${message}" --arg tail "${tail}" \
            --argjson health "${health}" '
            {generation: $bundle[0].generation, phase: $phase, state: $state, started_at: $started}
            + (if $finished == "" then {} else {finished_at: $finished} end)
            + (if $message == "" then {} else {message: $message} end)
            + (if $tail == "" then {} else {log_tail: ($tail | split("\n"))} end)
            + (if $health == null then {} else {health: $health} end)'
    )"
    if ! exk8s_agent_curl POST /agent/report --fail --output /dev/null \
        --header "Content-Type: application/json" --data-binary @<(printf '%s' "${body}"); then
        exk8s_log "the report of phase ${phase} (${state}) did not reach the server"
        return 1
    fi
}

# A full disk shows in many ways, few of which say so.
exk8s_disk_hint() {
    local free
    free="$(df --output=avail -m "${EXK8S_ROOT}/" | tail -n 1 | tr -d ' ')"
    ((free >= 200)) || printf ', and the disk has only %s MiB left' "${free}"
}

# exk8s_report_later ARGUMENTS...: reports while the script goes on; after the former such report, so
# that none overtakes another.
exk8s_report_later() {
    exk8s_reports_sent
    exk8s_report "$@" &
    EXK8S_REPORT="$!"
}

# exk8s_reports_sent: waits for the last report. A script calls it at its end, or it would not go out.
exk8s_reports_sent() {
    [[ -z "${EXK8S_REPORT:-}" ]] || wait "${EXK8S_REPORT}" || true
    EXK8S_REPORT=""
}

# exk8s_phase NAME COMMAND...: runs one phase and reports its start and its end. The command runs in
# a shell of its own with `set -e` in force, so any failing line of it fails the phase.
exk8s_phase() {
    local name="$1" log="${EXK8S_LOGS}/$1.log" started status=0
    shift
    mkdir -p "${EXK8S_LOGS}"
    started="$(exk8s_now)"
    exk8s_log "phase ${name}: started"
    exk8s_report_later "${name}" running "${started}"
    : >"${log}"
    chmod 0600 "${log}"
    # `||` or `if` would switch `set -e` off inside the command.
    set +e
    (
        set -e
        "$@"
    ) >>"${log}" 2>&1
    status=$?
    set -e
    if ((status == 0)); then
        exk8s_log "phase ${name}: done"
        exk8s_report_later "${name}" "done" "${started}" "$(exk8s_now)"
    else
        exk8s_log "phase ${name}: failed with exit code ${status}; see ${log}"
        exk8s_report_later "${name}" failed "${started}" "$(exk8s_now)" \
            "phase ${name} failed with exit code ${status}$(exk8s_disk_hint); it is tried again" "${log}"
        exk8s_reports_sent
    fi
    return "${status}"
}
