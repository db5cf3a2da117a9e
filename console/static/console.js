"use strict"
// What is typed into a form with data-keep stays in this tab until it is saved, except secrets. Each value is kept with
// what was stored when it was typed. Where that has changed since, the page shows what is stored now.

const form = () => document.querySelector("form[data-keep]")
const place = () => `typed:${location.pathname.replace(/\/statuses$/, "/settings")}`
const isKept = field => field.name && field.name !== "step" && !["hidden", "password", "submit", "button"].includes(field.type)
const toggles = field => ["checkbox", "radio"].includes(field.type)
const named = name => [...form().elements].filter(field => isKept(field) && field.name === name)
const values = fields => fields.filter(field => !toggles(field) || field.checked).map(field => field.value)
const asBase = fields => JSON.stringify(fields.length > 1 ? values(fields).sort() : values(fields))

function typed() {
  try {
    return JSON.parse(sessionStorage.getItem(place())) || {}
  } catch {
    return {}
  }
}

function fill(fields, chosen) {
  for (const field of fields) {
    if (toggles(field)) {
      field.checked = chosen.includes(field.value)
      continue
    }
    const missing = field.type === "select-one" && ![...field.options].some(one => one.value === chosen[0])
    if (missing) field.add(new Option(chosen[0], chosen[0]))  // the lists are not there yet
    field.value = chosen[0]
  }
}

// Shows the stored value beside a field that was changed.
function mark(control) {
  const was = control.querySelector(".was"), fields = [...control.querySelectorAll("input, select")].filter(isKept)
  if (was) was.hidden = asBase(fields) === control.dataset.base
}

let restored = false

function restore() {
  if (!form()) return
  const outdated = []
  for (const [name, {chosen, base}] of Object.entries(typed())) {
    const fields = named(name), control = fields[0]?.closest(".control")
    if (control && (control.dataset.base ?? null) === base) fill(fields, chosen)
    else if (control && asBase(fields) !== JSON.stringify(fields.length > 1 ? [...chosen].sort() : chosen)) outdated.push(`${control.querySelector("label, legend").textContent.trim()}: ${chosen.join(", ")}`)
  }
  form().querySelectorAll("[data-base]").forEach(mark)
  document.getElementById("kept").hidden = !restored && !outdated.length
  document.getElementById("outdated").textContent = outdated.length
    ? `Somebody else changed these meanwhile, so yours are not filled in: ${outdated.join("; ")}.`
    : ""
  const password = document.getElementById("password")
  if (password.value && password.closest("details")) password.closest("details").open = true
}

function say(words) {
  const said = document.getElementById("said")
  if (said) said.textContent = words
}

function keep(field) {
  const all = typed(), fields = named(field.name), control = field.closest(".control"), base = control.dataset.base ?? null
  if (asBase(fields) === base) delete all[field.name]
  else all[field.name] = {chosen: values(fields), base}
  sessionStorage.setItem(place(), JSON.stringify(all))
  mark(control)
}

// Also what was typed before this script was there.
function isChanged(field) {
  if (toggles(field)) return field.checked !== field.defaultChecked
  if (field.type === "select-one") return [...field.options].some(one => one.defaultSelected) && !field.selectedOptions[0]?.defaultSelected
  return field.value !== field.defaultValue
}

document.addEventListener("input", event => {
  const field = event.target
  if (form() && field.form === form() && isKept(field)) keep(field)
})

document.addEventListener("click", event => {
  if ("discard" in event.target.dataset) {
    sessionStorage.removeItem(place())
    location.reload()
  } else if ("next" in event.target.dataset) {
    document.getElementById("step-statuses").click()
    document.getElementById("step-statuses").focus()
    window.scrollTo(0, 0)
  } else if ("field" in event.target.dataset) {
    event.preventDefault()
    const field = document.getElementById(event.target.hash.slice(1))
    document.getElementById(field?.closest(".step-2") ? "step-statuses" : "step-settings").click()
    field?.closest("details")?.setAttribute("open", "")
    ;(field?.matches("input, select") ? field : field?.querySelector("input, select"))?.focus()
  } else if ("stored" in event.target.dataset) {
    const control = event.target.closest(".control"), fields = named(control.querySelector("input[name=asked]").value)
    fill(fields, JSON.parse(control.dataset.base))
    keep(fields[0])
  }
})

document.addEventListener("submit", event => {
  if ("forget" in event.target.dataset) sessionStorage.removeItem(`typed:${event.target.dataset.forget}`)
})

document.addEventListener("DOMContentLoaded", () => {
  if (!form()) return
  restored = Object.keys(typed()).length > 0
  for (const field of [...form().elements].filter(isKept)) if (isChanged(field)) keep(field)
  restore()
})

document.addEventListener("htmx:afterSettle", () => {
  restore()
  if (document.activeElement === document.body) document.querySelector("[aria-invalid=true]")?.focus()
})

document.addEventListener("htmx:beforeOnLoad", event => {
  const answer = event.detail.xhr, next = answer.getResponseHeader("HX-Redirect")
  if (next && event.detail.elt.matches(".run")) {  // Back leads to the page before the run
    event.preventDefault()
    location.replace(next)
    return
  }
  if (form() && answer.getResponseHeader("HX-Redirect")) sessionStorage.removeItem(place())
  if (answer.status < 400 || answer.status === 422) return
  const page = new DOMParser().parseFromString(answer.responseText, "text/html")
  say(page.querySelector("[role=alert]")?.textContent.trim() || `The console answered ${answer.status}. Nothing was saved.`)
})

for (const failure of ["htmx:sendError", "htmx:timeout"])
  document.addEventListener(failure, () => say("No answer came, so it may or may not have been saved. Save again: nothing is done twice."))

document.addEventListener("htmx:beforeRequest", () => say(""))

// A table that is wider than the window can be scrolled by the keyboard.
function reachTables() {
  for (const table of document.querySelectorAll("table")) {
    if (table.scrollWidth > table.clientWidth) table.tabIndex = 0
    else table.removeAttribute("tabindex")
  }
}

addEventListener("resize", reachTables)
for (const drawn of ["DOMContentLoaded", "htmx:afterSettle"]) document.addEventListener(drawn, reachTables)
