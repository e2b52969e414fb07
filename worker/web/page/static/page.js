// Keeps what is marked as live up to date: fetches the same page and puts its live part in place of ours.
// Focus, scrolling, open details and a selection stay where they are. Nothing is fetched while the page is hidden or paused.
"use strict";

const live = document.querySelector("[data-live]");
const pause = document.querySelector("[data-pause]");
const spoken = document.querySelector("[data-spoken]");

const EVERY = live ? Number(live.dataset.live) * 1000 : 0;
const LONGEST = 60_000;
const FOCUSABLE = "a[href], button, input, select, summary, [tabindex]";
const KEEP = "pgmend-paused";

let timer = 0;
let failures = 0;
let under_way = null;

const is_paused = () => pause.getAttribute("aria-pressed") === "true";

function plan() {
    clearTimeout(timer);
    if (document.hidden || is_paused()) return;
    timer = setTimeout(refresh, Math.min(EVERY * 2 ** failures, LONGEST));
}

async function refresh() {
    under_way?.abort();
    under_way = new AbortController();
    try {
        const answer = await fetch(location.href, { signal: under_way.signal, redirect: "error", headers: { Accept: "text/html" } });
        take(new DOMParser().parseFromString(await answer.text(), "text/html"));
        failures = 0;
        say(pause, false);
    } catch (error) {
        if (error.name === "AbortError") return;
        failures += 1;
        say(pause, true);
    }
    plan();
}

function say(button, is_lost) {
    document.documentElement.toggleAttribute("data-lost", is_lost);
    if (is_lost) spoken.textContent = "The page cannot be refreshed: no answer.";
    button.title = is_lost ? "no answer; trying again" : "";
}

function take(fresh) {
    const next = fresh.querySelector("[data-live]");
    if (!next || next.innerHTML === live.innerHTML || is_selecting()) return;
    const before = stance();
    live.replaceChildren(...next.childNodes);
    restore(before);
    const state = live.querySelector("[data-state]")?.textContent.trim();
    if (state && state !== before.state) spoken.textContent = state;
    const title = fresh.querySelector("title");
    if (title) document.title = title.textContent;
}

function is_selecting() {
    const selection = getSelection();
    return selection && !selection.isCollapsed && live.contains(selection.anchorNode);
}

function stance() {
    const focusable = [...live.querySelectorAll(FOCUSABLE)];
    return {
        focus: focusable.indexOf(document.activeElement),
        id: live.contains(document.activeElement) ? document.activeElement.id : "",
        open: [...live.querySelectorAll("details")].map((details) => details.open),
        left: [...live.querySelectorAll(".scroll")].map((box) => box.scrollLeft),
        top: scrollY,
        state: live.querySelector("[data-state]")?.textContent.trim(),
    };
}

function restore(before) {
    live.querySelectorAll("details").forEach((details, place) => (details.open = before.open[place] ?? details.open));
    live.querySelectorAll(".scroll").forEach((box, place) => (box.scrollLeft = before.left[place] ?? 0));
    const again = (before.id && document.getElementById(before.id)) || live.querySelectorAll(FOCUSABLE)[before.focus];
    again?.focus({ preventScroll: true });
    scrollTo({ top: before.top, behavior: "instant" });
}

function remember(value) {
    try {
        if (value === undefined) return sessionStorage.getItem(KEEP) === "true";
        sessionStorage.setItem(KEEP, value);
    } catch {
        // A browser that keeps nothing forgets this with the page.
    }
    return value;
}

function set_paused(value) {
    pause.setAttribute("aria-pressed", String(value));
    remember(value);
    if (value) {
        under_way?.abort();
        clearTimeout(timer);
    } else refresh();
}

if (live && pause) {
    pause.hidden = false;
    pause.setAttribute("aria-pressed", String(remember()));
    pause.addEventListener("click", () => set_paused(!is_paused()));
    document.addEventListener("visibilitychange", () => (document.hidden ? clearTimeout(timer) : is_paused() || refresh()));
    plan();
}
