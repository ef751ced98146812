package metrics_test

import (
	"bufio"
	"context"
	"encoding/base64"
	"encoding/json"
	"flag"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/coppice-go/coppice/child"
	"github.com/coppice-go/coppice/metrics"
	"github.com/coppice-go/coppice/strategies"
	"github.com/coppice-go/coppice/supervisor"
)

var pictures = flag.String("pictures", "", "folder for pictures of the page, which the test of the page takes then")

// browser is a real one, spoken to by its debugging protocol: messages that end
// in a zero byte, through a pair of pipes.
type browser struct {
	t       *testing.T
	to      *os.File
	from    *bufio.Reader
	session string
	calls   int
}

// aBrowser starts a browser without a screen.
func aBrowser(t *testing.T) *browser {
	t.Helper()
	program, err := exec.LookPath("chromium")
	if err != nil {
		t.Skip("chromium is not installed (Debian: chromium)")
	}
	in, to, err := os.Pipe()
	if err != nil {
		t.Fatal(err)
	}
	from, out, err := os.Pipe()
	if err != nil {
		t.Fatal(err)
	}
	cmd := exec.Command(program, "--headless", "--no-sandbox", "--disable-gpu", "--no-first-run",
		"--window-size=1300,1000", "--user-data-dir="+t.TempDir(), "--remote-debugging-pipe")
	cmd.ExtraFiles = []*os.File{in, out}
	if err := cmd.Start(); err != nil {
		t.Skip(err)
	}
	_, _ = in.Close(), out.Close()
	t.Cleanup(func() {
		_ = to.Close() // which ends it
		_, _ = cmd.Process.Wait()
		_ = from.Close()
	})
	return &browser{t: t, to: to, from: bufio.NewReader(from)}
}

// call calls a method and returns its result.
func (b *browser) call(method string, params map[string]any) map[string]any {
	b.t.Helper()
	b.calls++
	text, err := json.Marshal(map[string]any{"id": b.calls, "method": method, "params": params, "sessionId": b.session})
	if err != nil {
		b.t.Fatal(err)
	}
	if b.session == "" {
		text = []byte(strings.Replace(string(text), `,"sessionId":""`, "", 1))
	}
	if _, err := b.to.Write(append(text, 0)); err != nil {
		b.t.Fatal(err)
	}
	for {
		line, err := b.from.ReadBytes(0)
		if err != nil {
			b.t.Fatal(err)
		}
		var answer struct {
			ID     int
			Result map[string]any
			Error  any
		}
		if err := json.Unmarshal(line[:len(line)-1], &answer); err != nil {
			b.t.Fatal(err)
		}
		if answer.ID != b.calls {
			continue // an event
		}
		if answer.Error != nil {
			b.t.Fatalf("%s: %v", method, answer.Error)
		}
		return answer.Result
	}
}

// open opens a page in a new tab, where all that follows happens.
func (b *browser) open(address string) {
	b.t.Helper()
	b.session = ""
	tab := b.call("Target.createTarget", map[string]any{"url": "about:blank"})["targetId"]
	b.session, _ = b.call("Target.attachToTarget", map[string]any{"targetId": tab, "flatten": true})["sessionId"].(string)
	b.call("Page.navigate", map[string]any{"url": address})
}

// eval is the value of a script.
func (b *browser) eval(script string) any {
	b.t.Helper()
	result := b.call("Runtime.evaluate", map[string]any{"expression": script, "returnByValue": true})
	value, _ := result["result"].(map[string]any)
	return value["value"]
}

// until waits until a script is true.
func (b *browser) until(what, script string) time.Duration {
	b.t.Helper()
	began := time.Now()
	eventually(b.t, what, func() bool { return b.eval(script) == true })
	return time.Since(began)
}

// picture takes a picture of the page, if somebody wants one.
func (b *browser) picture(name, scheme string) {
	b.t.Helper()
	if *pictures == "" {
		return
	}
	b.call("Emulation.setEmulatedMedia", map[string]any{"features": []any{map[string]any{"name": "prefers-color-scheme", "value": scheme}}})
	text, _ := b.call("Page.captureScreenshot", nil)["data"].(string)
	image, err := base64.StdEncoding.DecodeString(text)
	if err != nil {
		b.t.Fatal(err)
	}
	if err := os.WriteFile(filepath.Join(*pictures, name+"-"+scheme+".png"), image, 0o644); err != nil {
		b.t.Fatal(err)
	}
}

// says is a script that tells whether the page shows a text in a part of it.
func says(part, wanted string) string {
	return `document.querySelector("` + part + `").textContent.includes("` + wanted + `")`
}

func TestThePageInARealBrowser(t *testing.T) {
	if testing.Short() {
		t.Skip("it takes seconds")
	}
	t.Parallel()
	crash := make(chan struct{})
	sup := start(t, supervisor.Spec{
		Name: "shop", Intensity: strategies.Intensity{Restarts: 5, Period: time.Hour},
		Children: []child.Specer{
			child.Spec{Name: "web", Run: child.Func(idle)},
			child.Spec{Name: "cart", Backoff: strategies.Backoff{Threshold: time.Hour, Min: time.Minute}, Run: child.Func(func(ctx context.Context) error {
				select {
				case <-crash:
					panic("<b>no more carts</b>")
				case <-ctx.Done():
					return nil
				}
			})},
			wide(10_000),
		},
	})
	t.Cleanup(func() { stop(t, sup) })
	reading, changing := serve(t, sup, metrics.Site{}), serve(t, sup, metrics.Site{Authorise: allow})

	b := aBrowser(t) // the last, so that it ends before those that it watches
	b.open(reading.URL + "/observe/")
	b.until("the tree is there", says("#rows", "web"))
	b.until("the stream is open", `document.querySelector("#link").textContent === ""`)
	b.picture("quiet", "light")
	b.picture("quiet", "dark")
	b.eval(`window.before = true`)
	close(crash)
	if took := b.until("the crash shows", says("#rows", "restarting")+" && "+says("#events", "no more carts")); took > 5*time.Second { // a second, on a machine that is not busy
		t.Errorf("the crash took %v to show", took)
	}
	first := b.eval(`document.querySelector("[data-until]").textContent`)
	b.until("the countdown runs", `document.querySelector("[data-until]").textContent !== "`+first.(string)+`"`)
	b.eval(`document.querySelector("[data-show='shop/cart']").click()`)
	b.until("the child's page shows its death", says("#deaths", "no more carts"))
	if b.eval(`document.querySelector("#acts").children.length`) != 0.0 || b.eval(`document.querySelector("main b")`) != nil {
		t.Error("the page offers what it cannot do, or takes text for markup")
	}
	b.picture("bad", "light")
	b.picture("bad", "dark")
	b.eval(`document.querySelector("#search").value = "child-7654"; document.querySelector("#search").dispatchEvent(new Event("input"))`)
	b.until("the search finds one of ten thousand", `document.querySelectorAll("#rows tr").length === 1 && `+says("#rows", "shop/root/child-7654"))
	if b.eval(`window.before`) != true {
		t.Error("the page was loaded again")
	}

	b.open(changing.URL + "/observe/#shop/web")
	b.until("the button is there", says("#acts", "Restart"))
	b.eval(`document.querySelector("#acts button").click()`)
	b.until("it works", says("#answer", "done")+" && "+says("#facts", "incarnation2"))
}
