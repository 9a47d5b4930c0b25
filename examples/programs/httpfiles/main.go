// Httpfiles shows a server's files over HTTP and takes new ones: GET with ranges and
// folders, PUT straight from the request's body. Put something that asks who it is before it.
//
//	FTPX_PASSWORD=... httpfiles sftp://user@files.example.com/public 127.0.0.1:8080
package main

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"log"
	"net"
	"net/http"
	"os"
	"strings"

	"github.com/seed01fc2e40/go-ftpx/ftpx"
)

func main() {
	c, err := ftpx.Open(context.Background(), os.Args[1], &ftpx.Options{Password: ftpx.Secret(os.Getenv("FTPX_PASSWORD"))})
	if err != nil {
		log.Fatal(err)
	}
	defer c.Close()
	listener, err := net.Listen("tcp", os.Args[2])
	if err != nil {
		log.Fatal(err)
	}
	fmt.Println("http://" + listener.Addr().String())
	log.Fatal(http.Serve(listener, handler(c)))
}

func handler(c ftpx.Client) http.Handler {
	mux := http.NewServeMux()
	mux.HandleFunc("GET /", func(w http.ResponseWriter, r *http.Request) {
		http.FileServerFS(c.FS(r.Context())).ServeHTTP(w, r)
	})
	mux.HandleFunc("PUT /{name...}", func(w http.ResponseWriter, r *http.Request) {
		name := r.PathValue("name")
		if !fs.ValidPath(name) || strings.HasSuffix(r.URL.Path, "/") {
			http.Error(w, "not a file's name", http.StatusBadRequest)
			return
		}
		// A body that breaks off is never there under its name.
		_, err := c.Put(r.Context(), name, r.Body, &ftpx.PutOptions{NoReplace: true})
		switch {
		case err == nil:
			w.WriteHeader(http.StatusCreated)
		case errors.Is(err, fs.ErrExist):
			http.Error(w, "there is one already", http.StatusConflict)
		default:
			log.Print(err) // it names hosts and paths, which are nobody's business outside
			http.Error(w, "the file could not be stored", http.StatusBadGateway)
		}
	})
	return mux
}
