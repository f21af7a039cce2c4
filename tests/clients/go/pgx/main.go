// A Go application that reads the URI of the binding.
package main

import (
	"context"
	"fmt"
	"log"
	"os"
	"path/filepath"

	"github.com/jackc/pgx/v5"
)

func main() {
	background := context.Background()
	orders := filepath.Join(os.Getenv("SERVICE_BINDING_ROOT"), "orders")
	read, err := os.ReadFile(filepath.Join(orders, "uri"))
	if err != nil {
		log.Fatal(err)
	}
	uri := string(read)
	connection, err := pgx.Connect(background, uri+"&sslrootcert="+orders+"/certificates")
	if err != nil {
		log.Fatal(err)
	}
	defer connection.Close(background)
	if _, err := connection.Exec(background, "INSERT INTO written VALUES ('pgx')"); err != nil {
		log.Fatal(err)
	}
	var found string
	row := connection.QueryRow(background, "SELECT DISTINCT client FROM written WHERE client = 'pgx'")
	if err := row.Scan(&found); err != nil {
		log.Fatal(err)
	}
	fmt.Println("read: " + found)
}
